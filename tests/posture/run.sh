#!/usr/bin/env bash
# Seeds an account of others (moto) with every fault, holds it against traffic, repairs it, and holds it again.
#
#   tests/posture/run.sh OUTFLOW   the program to test
#
#   OUTFLOW_S3_VENV                where moto is kept from run to run [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where the server cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which program?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

need_moto "the posture of an account"
"$venv/bin/python" tests/posture/account.py "$outflow" "$url" "$scratch" "$START_SECS_MAX"
