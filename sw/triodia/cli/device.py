"""``boards``, ``run``, ``board`` and ``soak``: networks on a board, real or virtual."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from triodia_boards.capacity import capacity
from triodia_boards.catalog import BOARDS, get_board
from triodia_boards.virtual_source import top_source
from triodia_hw.errors import CheckFailed, TriodiaError
from triodia_hw.machine.image import load_image
from triodia_hw.machine.params import MachineParams
from triodia_sim.virtual_board import BoardPins, VirtualBoard, compile_board

from ..host.board import BAUD, open_board
from ..host.run import run_samples
from ..host.soak import Soak, SoakReport
from ..quantize.inference import input_events
from ..tasks.own import labelled
from .console import Output
from .machine import task_data
from .options import (
    DataFile,
    ImageFile,
    Json,
    Parity,
    Seed,
    TaskName,
    WeightBits,
)

__all__ = ["register"]

_FAST = 20_000_000  # bits a second of a virtual board's line: 5 cycles a bit at 100 MHz

Faults = Annotated[float, typer.Option(help="Chance that a byte on the line is disturbed.")]


def boards(
    neurons: Annotated[int, typer.Option(help="Neurons the machine shall have.", min=2)] = 256,
    weight_bits: WeightBits = 8,
    as_json: Json = False,
) -> None:
    """List the boards, and how many synapse words fit each with 1 to 16 lanes."""
    rows = []
    for board in BOARDS.values():
        row = {"board": board.name, "luts": board.luts, "blocks": board.blocks}
        row |= {"multipliers": board.multipliers, "clock_mhz": board.clock_hz / 1e6}
        for lanes in (1, 4, 8, 16):
            found = capacity(board, neurons, lanes=lanes, weight_bits=weight_bits)
            row[f"lanes_{lanes}"] = found.synapses if found else None
        rows.append(row)
    columns = {key: key.replace("_", " ") for key in rows[0]}
    data = {"neurons": neurons, "weight_bits": weight_bits, "boards": rows}
    title = f"Boards, and synapse words with {neurons} neurons, {weight_bits} bits, by lanes"
    Output(as_json).rows(data, rows, columns, title=title)


def run(
    image: ImageFile,
    port: Annotated[str, typer.Option(help="Serial port of the board, or a pyserial URL.")],
    task: TaskName = "japanese-vowels",
    samples: Annotated[int, typer.Option(help="Test samples to run.", min=1)] = 10,
    data: DataFile = None,
    check: Annotated[bool, typer.Option("--check", help="Compare with the reference.")] = False,
    baud: Annotated[int, typer.Option(help="Bits a second of the line.", min=1)] = BAUD,
    timeout: Annotated[float, typer.Option(help="Seconds without progress.", min=0.1)] = 5.0,
    baked: Annotated[
        bool, typer.Option("--baked", help="The bitstream holds this network; do not load it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Load a network into a board and run test samples on it."""
    show = Output(as_json)
    loaded = load_image(image)
    held = task_data(loaded, task, data)
    sequences = input_events(loaded, held.x_test, held.len_test, limit=samples)
    chosen = np.linspace(0, len(held.x_test) - 1, len(sequences)).astype(int)
    with open_board(port, baud=baud, timeout=timeout) as board:
        welcome = board.welcome
        show.note(f"{port}: {welcome.board}, Triodia {welcome.version}")
        if baked:
            board.assume(loaded)
        else:
            with show.bar("bytes loaded") as bar:
                board.load(loaded, bar)
        with show.bar("samples") as bar:
            report = run_samples(board, sequences, check=check, progress=bar)
    right = np.array(report.classes) == held.y_test[chosen]
    result = {
        "board": welcome.board,
        "clock_mhz": welcome.clock_hz / 1e6,
        "metric": float(right.mean()) if labelled(held) else None,
        "machine_us_per_sample": round(report.cycles / welcome.clock_hz * 1e6 / report.samples, 2),
        **asdict(report),
    }
    show.result(result, title=f"Run on {port}")
    if report.mismatches:
        raise CheckFailed(f"{report.mismatches} words differ; the first: {report.first}")


def board(
    virtual: Annotated[str, typer.Option(help=f"Board: {', '.join(BOARDS)}.")],
    image: Annotated[
        Path | None, typer.Option(help="Machine image whose parameters the board gets.")
    ] = None,
    neurons: Annotated[int, typer.Option(help="Else: neurons.", min=2)] = 128,
    lanes: Annotated[int, typer.Option(help="Else: processing elements.", min=1, max=32)] = 4,
    synapses: Annotated[int, typer.Option(help="Else: synapse words.", min=1)] = 16_384,
    baud: Annotated[int, typer.Option(help="Bits a second of its line.", min=1)] = _FAST,
    faults: Faults = 0.0,
    parity: Parity = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run a board that needs no hardware: its own top level behind a pseudo-terminal."""
    show = Output(as_json)
    _check_rate(faults)
    chosen = get_board(virtual)
    p = load_image(image).params if image else _params(neurons, lanes, synapses)
    with TemporaryDirectory(prefix="triodia-board-") as folder:
        program, divisor = _program(p, chosen.name, baud, Path(folder), show, parity)
        with VirtualBoard(program, divisor, faults=faults, seed=seed) as running:
            result = {"board": chosen.name, "port": running.port, "baud": baud}
            show.result(result, title="Virtual board, until Ctrl-C")
            try:
                running.wait()
            except KeyboardInterrupt:
                stats = running.stats()
                mhz = stats["cycles"] / max(stats["cpu_seconds"], 1e-9) / 1e6
                show.note(f"{stats['cycles']} cycles, {mhz:.2f} million a CPU second")


def soak(
    images: Annotated[list[Path], typer.Argument(help="Machine images of equal parameters.")],
    virtual: Annotated[str, typer.Option(help=f"Board: {', '.join(BOARDS)}.")] = "ulx3s-25f",
    steps: Annotated[int, typer.Option(help="Time steps to compare.", min=1)] = 10_000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Run networks on a virtual board that is stalled, disturbed, reset and unplugged."""
    show = Output(as_json)
    loaded = [load_image(path) for path in images]
    if any(image.params != loaded[0].params for image in loaded):
        raise TriodiaError("the images must be of equal parameters: they run on one machine")
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="triodia-soak-"))
        program, divisor = _program(loaded[0].params, virtual, _FAST, Path(folder), show)

        def start(number: int) -> VirtualBoard:
            return VirtualBoard(program, divisor, seed=number)

        bar = stack.enter_context(show.bar("steps"))

        def progress(report: SoakReport) -> None:
            bar(min(report.steps, steps), steps, f"{report.wrong} wrong")

        report = Soak(loaded, start, seed=seed, baud=_FAST).run(steps, progress)
    show.result(asdict(report), title="Soak")
    if report.wrong or report.failures:
        raise CheckFailed(
            f"{report.wrong} steps were wrong ({report.first or 'none'}), "
            f"unforeseen: {'; '.join(report.failures) or 'nothing'}"
        )


def _check_rate(rate: float) -> None:
    if not 0 <= rate < 1:
        raise TriodiaError(f"faults must be at least 0 and below 1, not {rate}")


def _params(neurons: int, lanes: int, synapses: int) -> MachineParams:
    """A capacity for networks as ``triodia quantize`` makes them."""
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
    return compile_board(rtlil, BoardPins(**pins), folder, show.note), divisor


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (boards, run, board, soak):
        app.command()(command)
