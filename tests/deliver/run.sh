#!/usr/bin/env bash
# Delivers to S3, SNS, SQS and Security Hub of others (moto) and to a webhook over TLS, and reads back what arrived.
#
#   tests/deliver/run.sh DELIVER   the program to test: `cargo build -p outflow-deliver --example deliver`
#
#   OUTFLOW_S3_VENV                where moto is kept from run to run [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where the server cannot be installed.
set -euo pipefail
deliver=$(realpath "${1:?which program?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

need_moto "delivering to AWS"
PYTHONPATH=tests/s3 "$venv/bin/python" tests/deliver/delivered.py "$deliver" "$url" "$scratch" "$START_SECS_MAX"
