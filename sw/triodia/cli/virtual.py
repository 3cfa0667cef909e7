"""``board`` and ``soak``: a board that needs no hardware."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from triodia_boards.catalog import get_board
from triodia_boards.virtual_source import top_source
from triodia_hw.errors import CheckFailed, TriodiaError
from triodia_hw.machine.image import load_image
from triodia_hw.machine.params import MachineParams
from triodia_sim.sdram import memory_on_board
from triodia_sim.virtual_board import BoardPins, VirtualBoard, compile_board

from ..host.soak import Soak, SoakReport
from .console import Output
from .options import Json, Parity, Seed

__all__ = ["board", "soak"]

_FAST = 20_000_000  # bits per second of a virtual board's line: 5 cycles per bit at 100 MHz

BoardToRun = Annotated[str, typer.Option(help="Board; `triodia boards` lists them.")]


def board(
    virtual: BoardToRun,
    image: Annotated[Path | None, typer.Option(help="Image whose sizes the machine gets.")] = None,
    neurons: Annotated[int, typer.Option(help="Neurons, without an image.", min=2)] = 128,
    lanes: Annotated[int, typer.Option(help="PEs, without an image.", min=1, max=32)] = 4,
    synapses: Annotated[int, typer.Option(help="Synapse words, without an image.", min=1)] = 16_384,
    baud: Annotated[int, typer.Option(help="Bits per second of the line.", min=1)] = _FAST,
    faults: Annotated[
        float, typer.Option(help="Probability that a byte on the line is disturbed.")
    ] = 0.0,
    parity: Parity = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run a virtual board behind a pseudo-terminal."""
    show = Output(as_json)
    if not 0 <= faults < 1:
        raise TriodiaError(f"`--faults` must be at least 0 and below 1, got {faults:g}.")
    chosen = get_board(virtual)
    p = load_image(image).params if image else _params(neurons, lanes, synapses)
    with TemporaryDirectory(prefix="triodia-board-") as folder:
        program, divisor = _program(p, chosen.name, baud, Path(folder), show, parity)
        with VirtualBoard(program, divisor, faults=faults, seed=seed) as running:
            result = {"board": chosen.name, "port": running.port, "baud": baud}
            show.result(result, title="Virtual board; Ctrl-C ends it")
            try:
                running.wait()
            except KeyboardInterrupt:
                stats = running.stats()
                mhz = stats["cycles"] / max(stats["cpu_seconds"], 1e-9) / 1e6
                show.note(f"{stats['cycles']:,} cycles, {mhz:.2f} million per CPU second.")


def soak(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGES", help="Machine images of equal parameters.")
    ],
    virtual: BoardToRun = "ulx3s-25f",
    steps: Annotated[int, typer.Option(help="Time steps to compare.", min=1)] = 10_000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run networks on a virtual board that is stalled, disturbed and unplugged."""
    show = Output(as_json)
    loaded = [load_image(path) for path in images]
    if any(image.params != loaded[0].params for image in loaded):
        raise TriodiaError("The images differ in parameters; one machine cannot run them all.")
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="triodia-soak-"))
        program, divisor = _program(loaded[0].params, virtual, _FAST, Path(folder), show)

        def start(number: int) -> VirtualBoard:
            return VirtualBoard(program, divisor, seed=number)

        bar = stack.enter_context(show.bar("Steps"))

        def progress(report: SoakReport) -> None:
            bar(min(report.steps, steps), steps, f"{report.wrong} wrong")

        report = Soak(loaded, start, seed=seed, baud=_FAST).run(steps, progress)
    show.result(asdict(report), title="Soak")
    if report.wrong or report.failures:
        raise CheckFailed(
            f"FAIL: {report.wrong:,} of {report.steps:,} steps were wrong"
            f" (first: {report.first or 'none'});"
            f" unexpected failures: {'; '.join(report.failures) or 'none'}"
        )
    show.say(f"PASS: {report.steps:,} steps compared, 0 wrong")


def _params(neurons: int, lanes: int, synapses: int) -> MachineParams:
    """Sizes that hold networks as ``triodia quantize`` makes them."""
    return MachineParams(
        inputs=64,
        neurons=neurons,
        lanes=lanes,
        synapse_words=-(-synapses // lanes),
        gap_bits=5,
        row_words=-(-neurons // lanes),
    )


def _program(
    p: MachineParams, name: str, baud: int, folder: Path, show: Output, parity: bool = False
) -> tuple[Path, int]:
    rtlil, pins, divisor = top_source(p, get_board(name), baud=baud, parity=parity)
    memory = memory_on_board(p, pins) if p.external else ""
    return compile_board(rtlil, BoardPins(**pins), folder, show.note, memory), divisor
