"""``run``: the smaller studies, each a plan of jobs on the engine."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json
from triodia_hw.errors import TriodiaError

from ..study import Study
from .options import Cache, Scheduler, Workers, engine

__all__ = ["run", "seed_list"]

_VARIANTS = ['{"dropout": 0.1}', '{"dropout": 0.3}']
_RESULTS = Path("docs/lnp-study.json.gz")


def _training(variants: list[str], neurons: int, _: Path) -> Study:
    from ..training import study

    try:
        options = [json.loads(text) for text in variants]
    except ValueError as error:
        raise TriodiaError(f"a variant must be JSON options of train ({error})") from None
    return study(neurons, options)


def _timescales(_: list[str], __: int, results: Path) -> Study:
    from ..lnp.results import read_results
    from ..timescales import study

    return study(read_results(results)[1])


def _plain(module: str, name: str = "STUDY") -> Callable[..., Study]:
    def load(*_: object) -> Study:
        return getattr(import_module(f"triodia_studies.{module}"), name)

    return load


STUDIES = {
    "training": _training,
    "timescales": _timescales,
    "degrees": _plain("timescales", "DEGREES"),
    "transfer": _plain("transfer"),
    "hardware": _plain("hardware"),
    "logic": _plain("logic"),
    "defaults": _plain("lnp.defaults"),
    "rivals": _plain("rivals"),
    "bridges": _plain("bridges"),
    "readings": _plain("readings"),
    "sight": _plain("sight"),
}


def seed_list(text: str) -> list[int]:
    """Seeds of "5" (0 to 4) or of a list such as "2,3"."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    found = numbers if "," in text else list(range(sum(numbers)))
    if not found or min(found) < 0:
        raise TriodiaError(f"seeds must be a number or a list such as 2,3, not {text!r}")
    return found


def run(
    name: Annotated[str, typer.Argument(help=f"{', '.join(STUDIES)}.")],
    seeds: Annotated[str, typer.Option(help="How many, or which, such as 2,3.")] = "5",
    neurons: Annotated[int, typer.Option(help="Of training's networks.", min=2)] = 256,
    variant: Annotated[
        list[str], typer.Option(help="Of training: JSON options of train; may be repeated.")
    ] = _VARIANTS,
    results: Annotated[Path, typer.Option(help="Of timescales: a study's results.")] = _RESULTS,
    cache: Cache = Path("out/studies"),
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Run one of the smaller studies, by name."""
    if name not in STUDIES:
        raise TriodiaError(f"study must be one of {', '.join(STUDIES)}, not {name!r}")
    show, chosen = Output(as_json), STUDIES[name](variant, neurons, results)
    numbers = seed_list(seeds)
    with show.bar(name) as bar:
        rows = chosen.run(numbers, progress=bar, **engine(cache, workers, scheduler))
    if as_json:
        show.json({"study": name, "rows": rows})
    else:
        for row in rows:
            print(json.dumps(row))
