#!/bin/sh
# Set up .venv with pinned versions; install system packages where we may, else say how.
set -eu
PYTHON=${PYTHON:-python3}

missing=""
command -v iverilog >/dev/null 2>&1 || missing="$missing iverilog"
command -v g++ >/dev/null 2>&1 || missing="$missing g++"
command -v "$PYTHON" >/dev/null 2>&1 || missing="$missing python3"
if command -v "$PYTHON" >/dev/null 2>&1; then
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
fi
# shellcheck disable=SC2086 # one word a package
[ -z "$missing" ] || sh tools/need.sh $missing
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "setup: Python 3.11 or newer is needed, $("$PYTHON" --version) is here;" \
        "name another by: make setup PYTHON=/path/to/python" >&2
    exit 3
}
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
echo "setup: installing pinned packages into .venv (a minute or two, about 1 GB)"
.venv/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
.venv/bin/pip check
# cocotb loads Python into the simulator: that takes the shared library, which Debian packs apart.
.venv/bin/python -c 'import find_libpython, sys; sys.exit(not find_libpython.find_libpython())' ||
    sh tools/need.sh "libpython$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
