#!/usr/bin/env bash
# Collects the inventory of accounts of others (moto), holds each list against what boto3 reads, and takes their posture.
#
#   tests/inventory/run.sh OUTFLOW   the program to test
#
#   OUTFLOW_S3_VENV                  where moto is kept from run to run [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where the server cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which program?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

need_moto "the inventory of AWS"
PYTHONPATH=tests/s3 "$venv/bin/python" tests/inventory/collected.py "$outflow" "$url" "$scratch" "$START_SECS_MAX"
