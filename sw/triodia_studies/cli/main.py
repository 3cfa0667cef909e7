"""The ``triodia-studies`` command: studies and benchmarks, hours of work that the docs report."""

from triodia.cli.commands import Command, Program
from triodia.cli.main import main as run_program

__all__ = ["app", "main"]

_STUDIES = {
    "accuracy": Command(
        ".accuracy",
        "Compare dense, LNP and random networks, float and integer, over seeds.",
        "studies",
    ),
    "study": Command(
        ".study",
        "Compare LNP with its controls; an interrupted study continues where it stopped.",
        "studies",
    ),
    "run": Command(
        ".run",
        "Run one of the smaller studies, by name.",
        "studies",
    ),
}
_BENCHES = {
    "bench-hw": Command(
        ".bench_hw",
        "Measure cycles, storage and the dense design's crossover, or clock and area (an hour).",
        "studies",
    ),
    "bench-peers": Command(
        ".bench_peers",
        "Measure cores of others and ours on one network, with their sources (half an hour).",
        "studies",
    ),
    "bench-lnp": Command(
        ".bench_lnp",
        "Measure CPU seconds of each step of LNP, and peak memory (many minutes).",
        "studies",
    ),
}

app = Program(
    name="triodia-studies",
    help="Studies of pruning and benchmarks of the machine.",
    package=__package__,
    groups={"Studies": _STUDIES, "Benchmarks": _BENCHES},
)


def main() -> None:
    """Run the command line; exit codes are those of ``triodia``."""
    run_program(app)
