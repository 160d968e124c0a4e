#!/usr/bin/env bash
# Serves a lake made of testdata/breach, and asks it with clients that are not ours: psycopg and psql over PostgreSQL's protocol, ADBC
# over Flight SQL; and with those that no server wants.
#
#   tests/serve/run.sh OUTFLOW   the binary to test
#
#   OUTFLOW_SERVE_VENV           where Python packages are kept from run to run [default: a folder that is removed]
#   OUTFLOW_SERVE_JDBC           the jar of PostgreSQL's driver for Java; without it JDBC is left out
#
# Says `skipped: …` and succeeds where clients cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which binary?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

venv=${OUTFLOW_SERVE_VENV:-$scratch/venv}
export PYTHONDONTWRITEBYTECODE=1
if ! has "$venv" 'adbc_driver_flightsql, adbc_driver_manager, psycopg, pyarrow' \
    'adbc-driver-flightsql==1.*' 'adbc-driver-manager==1.*' 'psycopg[binary]==3.*' 'pyarrow'; then
    echo "skipped: asking a server with the clients of others, as they could not be installed"
    exit 0
fi
"$outflow" ingest testdata/breach --lake "$scratch/lake" >/dev/null 2>"$scratch/ingest" || {
    cat "$scratch/ingest"
    exit 1
}
for part in postgres flight secured hostile; do
    PYTHONPATH=tests/serve "$venv/bin/python" "tests/serve/$part.py" "$outflow" "$scratch"
done
if command -v psql >/dev/null; then
    PYTHONPATH=tests/serve "$venv/bin/python" tests/serve/by_psql.py "$outflow" "$scratch"
else
    echo "skipped: asking a server with psql, which is not here"
fi
if [ -n "${OUTFLOW_SERVE_JDBC:-}" ] && command -v javac >/dev/null; then
    javac -d "$scratch/java" tests/serve/Jdbc.java
    PYTHONPATH=tests/serve "$venv/bin/python" tests/serve/by_jdbc.py "$outflow" "$scratch" "$OUTFLOW_SERVE_JDBC"
fi
