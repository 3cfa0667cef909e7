#!/bin/sh
# Set up .venv with pinned versions; install system packages where we may, else say how.
set -eu
PYTHON=${PYTHON:-python3}

# Install Debian packages, or say how and give up.
need() {
    command="apt-get install -y --no-install-recommends $*"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: please install $* with this system's package manager" >&2
        exit 3
    elif [ "$(id -u)" = 0 ]; then
        apt-get update -q && $command
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo apt-get update -q && sudo $command
    else
        echo "setup: missing $*; run: sudo $command" >&2
        exit 3
    fi
}

missing=""
command -v iverilog >/dev/null 2>&1 || missing="$missing iverilog"
command -v g++ >/dev/null 2>&1 || missing="$missing g++"
command -v "$PYTHON" >/dev/null 2>&1 || missing="$missing python3"
if command -v "$PYTHON" >/dev/null 2>&1; then
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
fi
[ -z "$missing" ] || need $missing
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: Python 3.11 or newer is needed, $("$PYTHON" --version) is here;" \
        "name another by: make setup PYTHON=/path/to/python" >&2
    exit 3
}
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
echo "setup: installing pinned packages into .venv (a minute or two, about 1 GB)"
.venv/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
.venv/bin/pip check
# cocotb loads Python into the simulator: that takes the shared library, which Debian packs apart.
.venv/bin/python -c 'import find_libpython, sys; sys.exit(not find_libpython.find_libpython())' ||
    need "libpython$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
