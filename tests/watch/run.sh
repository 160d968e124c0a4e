#!/usr/bin/env bash
# Watches a queue in which S3 announces testdata/breach (moto), in all forms that announcements have.
#
#   tests/watch/run.sh OUTFLOW   the binary to test
#
#   OUTFLOW_S3_VENV              where moto is kept from run to run [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where the server cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which binary?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

need_moto "watching a queue"
PYTHONPATH=tests/s3 "$venv/bin/python" tests/watch/announced.py "$outflow" testdata/breach "$url" "$scratch" "$START_SECS_MAX"
