"""``cosim``: the exported Verilog against the integer reference."""

import shutil
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from triodia_hw.errors import CheckFailed, TriodiaError
from triodia_hw.lock import alone
from triodia_hw.machine.image import Image, load_image
from triodia_sim.folder import check_exported
from triodia_sim.native import cosimulate_native
from triodia_sim.result import CosimResult
from triodia_sim.runner import cosimulate
from triodia_sim.scoreboard import Sequence
from triodia_sim.simulators import check_netlist, find_simulator

from ..quantize.inference import input_events
from ..scratch import scratch
from ..tasks.own import image_samples
from .console import Output
from .options import (
    Bin,
    DataFile,
    ImageFile,
    ImageTask,
    Json,
    NetlistName,
    Seed,
    SimulatorName,
    a_folder,
)

__all__ = ["cosim"]

_EXERCISED = (
    "; nor do {words:,} words of {steps:,} more steps with stalls, full queues, reads, resets and "
    "loads"
)


def cosim(
    image: ImageFile,
    task: ImageTask = None,
    samples: Annotated[
        int | None,
        typer.Option(help="Test samples to run; default: 10, with `--native` all.", min=1),
    ] = None,
    data: DataFile = None,
    bin: Bin = None,
    simulator: SimulatorName = "icarus",
    state: Annotated[bool, typer.Option("--state", help="Also compare every state word.")] = False,
    netlist: NetlistName = None,
    verilog: Annotated[
        Path | None,
        typer.Option(
            help="Folder that `triodia verilog` wrote, to simulate as it is; default: a new export."
        ),
    ] = None,
    native: Annotated[
        bool,
        typer.Option(
            "--native", help="Compile the machine instead of cocotb: the whole test set in seconds."
        ),
    ] = False,
    stall: Annotated[
        float, typer.Option(help="Probability that either stream pauses in a cycle.")
    ] = 0.0,
    seed: Seed = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder to keep; default: a temporary one.", callback=a_folder
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate the exported Verilog; compare every output word with the reference.

    By default cocotb drives the simulator, which is the bench to read and extend. `--native` plays
    the same on a compiled machine, on the whole test set.
    """
    show = Output(as_json)
    if not 0 <= stall < 1:
        raise TriodiaError(f"`--stall` must be at least 0 and below 1, got {stall:g}.")
    if netlist and verilog:
        raise TriodiaError("`--netlist` and `--verilog` exclude each other; leave one out.")
    if native and netlist:
        raise TriodiaError("`--native` and `--netlist` exclude each other; leave one out.")
    find_simulator("verilator" if native else simulator)
    if netlist:
        check_netlist(state, simulator)
    loaded = load_image(image)
    if verilog:
        check_exported(verilog, loaded.digest())
    sequences = _sequences(loaded, task, data, bin, samples or (None if native else 10))
    how = "a compiled machine" if native else f"cocotb on {simulator}"
    show.note(f"{how}: {len(sequences)} samples, {sum(map(len, sequences)):,} steps")
    with scratch("triodia-cosim-") as aside, ExitStack() as locks:
        folder = output or aside
        cells, given = _synthesized(loaded, netlist, folder, show, locks)
        given = {"verilog": verilog, "simulator": simulator, "state": state} | given
        given |= {"stall": (stall, stall), "seed": seed}
        if native:
            del given["simulator"]
            result = cosimulate_native(loaded, sequences, folder, progress=show.note, **given)
        else:
            with show.bar("Comparing") as bar:
                result = cosimulate(loaded, sequences, folder, progress=bar, **given)
        result = _kept(result) if output is None else result
    shown = {"samples": len(sequences), "netlist": cells, **result.as_dict()}
    shown["cycles_per_sample"] = round(result.cycles / len(sequences), 1)
    show.result(shown, title="Co-simulation", hide=[k for k, v in shown.items() if v is None])
    _verdict(show, result)


def _sequences(
    image: Image, task: str | None, data: Path | None, bin: float | None, samples: int | None
) -> list[Sequence]:
    """Input events of samples of a task or file, evenly spread."""
    held = image_samples(image, task, data, bin)
    return input_events(image, held.x_test, held.len_test, limit=samples)


def _verdict(show: Output, result: CosimResult) -> None:
    if result.mismatches:
        raise CheckFailed(
            f"FAIL: {result.words:,} words compared, {result.mismatches:,} differ;"
            f" the first: {result.first};"
            f" waveform: {result.waveform or 'none; cocotb on Icarus records one'}"
        )
    more = "" if not result.exercise.get("steps") else _EXERCISED.format(**result.exercise)
    show.say(f"PASS: {result.words:,} words compared, 0 differ{more}")


def _synthesized(
    image: Image, netlist: str | None, folder: Path, show: Output, locks: ExitStack
) -> tuple[dict | None, dict]:
    """What synthesis reports, and the options by which its netlist is simulated."""
    if netlist is None:
        return None, {}
    if image.params.external:
        raise TriodiaError(
            "`--netlist` does not know the SDRAM that this network's synapses lie in; leave it out."
        )
    from triodia_boards.flow.synthesis import netlist_verilog

    locks.enter_context(alone(folder / "netlist", "co-simulation"))
    family, _, routed = netlist.partition("-")
    show.note(f"{'Place-and-route in' if routed else 'Synthesis to'} {family} cells")
    report = asdict(netlist_verilog(image, folder / "netlist", netlist))
    return {"cells": netlist, **report}, {"verilog": folder / "netlist", "netlist": netlist}


def _kept(result: CosimResult) -> CosimResult:
    """``result`` with its waveform moved to the working directory."""
    if not result.waveform:
        return result
    kept = Path.cwd() / "divergence.fst"
    shutil.move(result.waveform, kept)  # the scratch folder may be on another disk
    return replace(result, waveform=str(kept))
