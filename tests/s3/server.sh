# A server that speaks S3 and is not ours (moto), for the scripts that need one: sourced by them, once they are in the
# folder of the repository. Leaves `scratch`, a folder that is removed with the server when the script ends.

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

# Whether a folder has these modules of Python, after these packages were installed there if need be.
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

# Whether a folder has moto.
has_moto() {
    has "$1" moto.server 'moto[server]==5.*'
}

# Starts moto of a folder; `url` is where it is, and the environment lets nothing else be asked.
start_moto() {
    local venv=$1 name port
    # Nothing of the caller's: neither credentials nor a proxy.
    for name in ${!AWS_@}; do unset "$name"; done
    export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
    port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$venv/bin/moto_server" -H 127.0.0.1 -p "$port" >"$scratch/server" 2>&1 &
    server=$!
    url=http://127.0.0.1:$port
}

# Starts moto of OUTFLOW_S3_VENV, or of a folder that is removed; `venv` is that. Where it cannot be installed, the script ends
# and says what it skipped.
need_moto() {
    venv=${OUTFLOW_S3_VENV:-$scratch/venv}
    export PYTHONDONTWRITEBYTECODE=1
    if ! has_moto "$venv"; then
        echo "skipped: $1, as moto could not be installed"
        exit 0
    fi
    start_moto "$venv"
}
