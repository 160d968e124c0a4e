#!/usr/bin/env bash
# Contains incidents in an account of others (moto), by the API and by the scripts, and takes it back; and reads what is
# written as Terraform with a parser of others.
#
#   tests/contain/run.sh OUTFLOW   the program to test
#
#   OUTFLOW_CONTAIN_VENV           where moto, the AWS CLI and the parser are kept [default: a folder that is removed]
#
# Says `skipped: …` and succeeds where they cannot be installed.
set -euo pipefail
outflow=$(realpath "${1:?which program?}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. tests/s3/server.sh

venv=${OUTFLOW_CONTAIN_VENV:-$scratch/venv}
export PYTHONDONTWRITEBYTECODE=1
if ! has "$venv" moto.server,hcl2,awscli 'moto[server]==5.*' 'python-hcl2==8.*' awscli; then
    echo "skipped: containing incidents in an account, as moto, the AWS CLI or a parser of HCL could not be installed"
    exit 0
fi
"$venv/bin/python" tests/contain/terraform.py "$outflow" "$scratch"
# A folder as `start_moto` wants it, with a server that keeps to DryRun also where moto does not.
mkdir -p "$scratch/of/bin"
ln -s "$venv/bin/python" "$scratch/of/bin/python"
printf '#!/bin/sh\nexec "%s/bin/python" "%s/tests/contain/server.py" "$@"\n' "$(realpath "$venv")" "$PWD" \
    >"$scratch/of/bin/moto_server"
chmod +x "$scratch/of/bin/moto_server"
start_moto "$scratch/of"
PATH="$venv/bin:$PATH" "$venv/bin/python" tests/contain/contained.py "$outflow" "$url" "$scratch" "$START_SECS_MAX"
