"""Fuzz the readers of all files that a user passes: ``python -m tests.support.hostile.run``.

Fails on a file that gives any error but a ``TriodiaError``, takes more than 20 seconds or 2 GB, or
makes its reader write something. The file is then in ``--output``. Needs atheris.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.hostile.kinds import KINDS

__all__ = ["main"]

_LIMITS = ["-timeout=20", "-rss_limit_mb=3000", "-max_len=400000", "-len_control=0"]


def fuzz(name, seconds, seed, output):
    """Fuzz one kind from its valid files; returns the exit code and the last lines of the log."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as corpus:
        for number, content in enumerate(KINDS[name].seeds(Path(made))):
            (Path(corpus) / str(number)).write_bytes(content)
        options = [*_LIMITS, f"-max_total_time={seconds}", f"-seed={seed}"]
        options += [f"-artifact_prefix={output}/{name}-", "-print_final_stats=1", "-verbosity=0"]
        line = [sys.executable, "-m", "tests.support.hostile.target", name, corpus, *options]
        done = subprocess.run(line, capture_output=True, text=True, errors="replace", check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    """Fuzz the kinds that were asked for, one after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("out/fuzz"))
    given = parser.parse_args()
    if unknown := set(given.kinds) - set(KINDS):
        parser.error(f"there is no kind {min(unknown)}")
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is missing; `make setup-fuzz` brings it")
    failed = False
    for name in given.kinds or KINDS:
        code, log = fuzz(name, given.seconds, given.seed, given.output)
        runs = [line.split()[-1] for line in log.splitlines() if "number_of_executed" in line]
        print(f"{name}: {'ok' if code == 0 else 'FOUND'}, {(runs or ['?'])[0]} files", flush=True)
        if code:
            failed = True
            print("\n".join(log.splitlines()[-40:]), flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
