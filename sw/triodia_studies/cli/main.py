"""The ``triodia-studies`` command: studies and benchmarks, hours of work that the docs report."""

import sys

import typer

from triodia.cli.main import run as run_app

from . import accuracy, bench_hw, bench_lnp, run, study

__all__ = ["app", "main"]

app = typer.Typer(
    help="Studies of pruning and benchmarks of the machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (accuracy, bench_hw, bench_lnp, run, study):
    module.register(app)


def main() -> None:
    """Run the command line; exit codes are those of ``triodia``."""
    sys.exit(run_app(sys.argv[1:], app))
