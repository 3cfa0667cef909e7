#!/bin/sh
# Install Debian packages (the arguments) that are not there, or say how and give up.
set -eu
for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="${missing:-} $package"
done
[ -n "${missing:-}" ] || exit 0
command="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install$missing with this system's package manager" >&2
    exit 3
elif [ "$(id -u)" = 0 ]; then
    apt-get update -q && $command
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo apt-get update -q && sudo $command
else
    echo "setup: missing$missing; run: sudo $command" >&2
    exit 3
fi
