#!/usr/bin/env bash
# Ingests testdata/breach into a lake, and reads it with readers that are not ours (DuckDB's delta extension, delta-rs).
#
#   tests/lake/run.sh OUTFLOW   the binary to test
#
#   OUTFLOW_LAKE_VENV           where Python packages are kept from run to run [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where the readers cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which binary?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

INSTALL_SECS_MAX=300

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

venv=${OUTFLOW_LAKE_VENV:-$scratch/venv}
python=$venv/bin/python
if ! "$python" -c 'import deltalake, duckdb_extension_delta, pyarrow' 2>/dev/null; then
    if ! { python3 -m venv "$venv" &&
        timeout "$INSTALL_SECS_MAX" "$venv/bin/pip" install --quiet \
            'deltalake==1.6.*' 'duckdb-extension-delta==1.5.*' 'pyarrow'; } >"$scratch/install" 2>&1; then
        tail -n 3 "$scratch/install"
        echo "skipped: reading a lake with the tools of others, as they could not be installed"
        exit 0
    fi
fi

PYTHONDONTWRITEBYTECODE=1 "$python" tests/lake/read_back.py "$outflow" testdata/breach "$scratch"
