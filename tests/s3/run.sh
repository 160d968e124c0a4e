#!/usr/bin/env bash
# Reads testdata/breach from a server that speaks S3 and is not ours (moto), and compares what is found with what is
# found in the folder: only the names of the objects may differ.
#
#   tests/s3/run.sh OUTFLOW   the binary to test
#
#   OUTFLOW_S3_VENV           where Python packages are kept from run to run [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where the server cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which binary?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

need_moto "the test against an S3 server"
python=$venv/bin/python

PYTHONPATH=tests/s3 PYTHONDONTWRITEBYTECODE=1 "$python" - "$url" testdata/breach "$START_SECS_MAX" <<'PYTHON'
import sys
from bucket import client_of, upload

url, folder, secs_max = sys.argv[1], sys.argv[2], int(sys.argv[3])
s3 = client_of(url, secs_max)
upload(s3, folder, "archive/")
# More than one page of a list, and an object of several ranges, each with bytes of its own.
for number in range(1100):
    s3.put_object(Bucket="logs", Key=f"many/{number:04}.log", Body=b"\n" * (number + 1))
line = b"2 123456789012 eni-0a1 10.0.0.5 203.0.113.9 40000 443 6 3 3000 %d %d ACCEPT OK\n"
s3.put_object(Bucket="logs", Key="big.log", Body=b"".join(line % (t, t + 10) for t in range(1_700_000_000, 1_700_300_000)))
PYTHON

detect() {
    "$outflow" detect --endpoint-url "$url" --format json "$@"
}
# The time that a run took is all that may differ.
timeless() {
    sed 's/"seconds":[0-9.]*/"seconds":0/'
}
same() {
    diff "$scratch/expected" "$scratch/found" >"$scratch/diff" || {
        head -c 2000 "$scratch/diff"
        echo "error: $1" >&2
        exit 1
    }
    echo "ok: $2"
}

"$outflow" detect testdata/breach --format json | timeless >"$scratch/expected"
detect s3://logs/archive | timeless | sed 's|s3://logs/archive/|testdata/breach/|g' >"$scratch/found"
same "the bucket tells something else than the folder" "the same incidents from bucket and folder"

# Days that are not asked for are not listed: what is left must be what the folder holds of the two days. Objects near
# their edges may lie outside and be read; but what counts is the same.
span=(--since 2026-09-03 --until 2026-09-05)
counted() {
    sed -n 's/.*\("counted_bytes":[0-9]*\).*/\1/p'
}
"$outflow" detect testdata/breach --format json "${span[@]}" 2>/dev/null | counted >"$scratch/expected"
detect s3://logs/archive "${span[@]}" 2>/dev/null | counted >"$scratch/found"
same "a span of the bucket counts something else than of the folder" "the same bytes of a span"

detect s3://logs/archive "${span[@]}" --plan 2>/dev/null | sed -n 's/.*"type":"plan","objects":\([0-9]*\).*/\1/p' >"$scratch/found"
objects=$(cat "$scratch/found")
[ "$objects" -gt 48 ] && [ "$objects" -lt 80 ] || {
    echo "error: of two days of 24 objects each and their edges, $objects would be read" >&2
    exit 1
}
echo "ok: $objects of 169 objects for two days"

echo '"objects":1100' >"$scratch/expected"
detect s3://logs/many/ | tail -n 1 | grep -o '"objects":1100' >"$scratch/found" || true
same "not all pages were listed" "all pages of a list"

echo '"rows":300000' >"$scratch/expected"
detect s3://logs/big.log | tail -n 1 | grep -o '"rows":300000' >"$scratch/found" || true
same "an object of several ranges is not whole" "an object of several ranges"
