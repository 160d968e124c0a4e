#!/usr/bin/env bash
# Ingests testdata/breach into lakes in a folder and in S3 (moto), and reads them with readers that are not ours (DuckDB's
# delta extension, delta-rs).
#
#   tests/lake/run.sh OUTFLOW   the binary to test
#
#   OUTFLOW_LAKE_VENV           where Python packages are kept from run to run [default: a folder that is removed]
#   OUTFLOW_S3_VENV             the same for moto [default: as above]
#
# Says `skipped: …` and succeeds where readers or server cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which binary?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

venv=${OUTFLOW_LAKE_VENV:-$scratch/venv}
export PYTHONDONTWRITEBYTECODE=1
if ! has "$venv" 'deltalake, duckdb_extension_delta, pyarrow' \
    'deltalake==1.6.*' 'duckdb-extension-delta==1.5.*' 'pyarrow'; then
    echo "skipped: reading a lake with the tools of others, as they could not be installed"
    exit 0
fi
"$venv/bin/python" tests/lake/read_back.py "$outflow" testdata/breach "$scratch"

s3=${OUTFLOW_S3_VENV:-$venv}
if ! has_moto "$s3"; then
    echo "skipped: a lake in S3, as moto could not be installed"
    exit 0
fi
start_moto "$s3"
PYTHONPATH=tests/s3 "$s3/bin/python" - "$url" testdata/breach "$START_SECS_MAX" <<'PYTHON'
import sys
from bucket import client_of, upload

url, folder, secs_max = sys.argv[1], sys.argv[2], int(sys.argv[3])
upload(client_of(url, secs_max), folder, "archive/")
PYTHON
"$venv/bin/python" tests/lake/in_s3.py "$outflow" testdata/breach "$url"
