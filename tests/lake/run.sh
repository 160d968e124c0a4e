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

INSTALL_SECS_MAX=300
START_SECS_MAX=30

scratch=$(mktemp -d)
server=""
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}
trap finish EXIT

# Whether a folder has these modules, after these packages were installed there if need be.
has() {
    local venv=$1 modules=$2
    shift 2
    if "$venv/bin/python" -c "import $modules" 2>/dev/null; then
        return
    fi
    python3 -m venv "$venv" >"$scratch/install" 2>&1 &&
        timeout "$INSTALL_SECS_MAX" "$venv/bin/pip" install --quiet "$@" >>"$scratch/install" 2>&1 && return
    tail -n 3 "$scratch/install"
    return 1
}

venv=${OUTFLOW_LAKE_VENV:-$scratch/venv}
export PYTHONDONTWRITEBYTECODE=1
if ! has "$venv" 'deltalake, duckdb_extension_delta, pyarrow' \
    'deltalake==1.6.*' 'duckdb-extension-delta==1.5.*' 'pyarrow'; then
    echo "skipped: reading a lake with the tools of others, as they could not be installed"
    exit 0
fi
"$venv/bin/python" tests/lake/read_back.py "$outflow" testdata/breach "$scratch"

s3=${OUTFLOW_S3_VENV:-$venv}
if ! has "$s3" moto.server 'moto[server]==5.*'; then
    echo "skipped: a lake in S3, as moto could not be installed"
    exit 0
fi
# Nothing of the caller's: neither credentials nor a proxy.
for name in ${!AWS_@}; do unset "$name"; done
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
port=$("$s3/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$s3/bin/moto_server" -H 127.0.0.1 -p "$port" >"$scratch/server" 2>&1 &
server=$!
url=http://127.0.0.1:$port
PYTHONPATH=tests/s3 "$s3/bin/python" - "$url" testdata/breach "$START_SECS_MAX" <<'PYTHON'
import sys
from bucket import client_of, upload

url, folder, secs_max = sys.argv[1], sys.argv[2], int(sys.argv[3])
upload(client_of(url, secs_max), folder, "archive/")
PYTHON
"$venv/bin/python" tests/lake/in_s3.py "$outflow" testdata/breach "$url"
