"""``quantize``, ``verilog``, ``cosim``, ``build``, ``patch``: from a network to a bitstream."""

import math
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from triodia_boards.board import BAUD
from triodia_boards.catalog import get_board
from triodia_boards.flow.build import build as build_bitstream
from triodia_boards.flow.program import reprogram
from triodia_boards.flow.synthesis import netlist_verilog
from triodia_hw.compile.contents import memory_shapes
from triodia_hw.compile.family import FAMILIES
from triodia_hw.compile.options import Options
from triodia_hw.cost.resources import block_rams
from triodia_hw.errors import CheckFailed, TriodiaError
from triodia_hw.export.verilog import INTERFACES, export_verilog
from triodia_hw.machine.image import Image, load_image, save_image
from triodia_sim.runner import CosimResult, cosimulate
from triodia_sim.simulators import check_netlist, find_simulator

from ..network.files import load_network
from ..network.network import Network
from ..quantize.inference import input_events
from ..quantize.quantize import QuantizeOptions
from ..quantize.quantize import quantize as quantize_network
from ..scratch import scratch
from ..tasks.catalog import TaskData, get_task
from ..tasks.own import OWN_TASK, compare_on, load_samples, silence
from .console import Output
from .options import (
    BoardName,
    BuildFolder,
    DataFile,
    Folder,
    ImageFile,
    Json,
    Lanes,
    NetlistName,
    NetworkFile,
    Out,
    Parity,
    Seed,
    SimulatorName,
    TaskName,
    WeightBits,
    a_folder,
)

__all__ = ["memory_report", "register", "task_data"]


def memory_report(image: Image) -> dict:
    """What an image takes: neurons, synapses, bits of each kind of memory, block RAMs."""
    p = image.params
    bits = {f"{s.name}_bits": p.lanes * s.depth * s.width for s in memory_shapes(p)}
    return {
        "neurons": p.neurons,
        "synapses": image.synapses,
        "lanes": p.lanes,
        "accumulator_bits": p.accumulator_bits,
        "accumulator_bound": image.meta.get("accumulator_bound"),
        **{f"{name}_blocks": block_rams(p, Options(family=name)) for name in FAMILIES},
        **bits,
    }


def task_data(image: Image, task: str, own: Path | None = None) -> TaskData:
    """Data of ``task``, or of the file ``own``; refuses a task that the image is not for."""
    if own is not None:
        around = silence(image.meta.get("provenance", ()))
        shape = {"inputs": image.params.inputs, "classes": len(image.readouts)}
        return load_samples(own, **shape, around=around)
    if image.meta.get("task") == OWN_TASK:
        raise TriodiaError("the image was imported without a task; give samples with --data")
    data = get_task(task).load()
    if image.meta.get("task") != task:
        raise TriodiaError(
            f"the image was trained for {image.meta.get('task')}, not for {task}; "
            "name that task or train for this one"
        )
    return data


def quantize(
    network: NetworkFile,
    output: Out,
    weight_bits: WeightBits = 8,
    lanes: Lanes = 4,
    fraction_bits: Annotated[
        int, typer.Option(help="Fraction bits of a payload.", min=0, max=10)
    ] = 5,
    state_bits: Annotated[
        int, typer.Option(help="Bits of a membrane potential.", min=4, max=24)
    ] = 18,
    leak_bits: Annotated[int, typer.Option(help="Bits of a leak coefficient.", min=1, max=16)] = 10,
    family: Annotated[str, typer.Option(help=f"FPGA family: {', '.join(FAMILIES)}.")] = "ecp5",
    tight: Annotated[
        bool, typer.Option("--tight", help="Fewest block RAMs, even at the price of cycles.")
    ] = False,
    data: DataFile = None,
    as_json: Json = False,
) -> None:
    """Quantize a network to a machine image; test both on the whole test set."""
    show = Output(as_json)
    if family not in FAMILIES:
        raise TriodiaError(f"family must be one of {', '.join(FAMILIES)}, not {family}")
    net = load_network(network)
    options = QuantizeOptions(
        weight_bits=weight_bits,
        lanes=lanes,
        fraction_bits=fraction_bits,
        state_bits=state_bits,
        leak_bits=leak_bits,
        family=family,
        tight=tight,
    )
    if net.task is None:
        raise TriodiaError(f"{network} is not trained for a task yet; `triodia train` does that")
    samples = _samples(net, data)
    image = quantize_network(net, samples, options)
    measured = {"metric_float": None, "metric_integer": None, "samples": 0}
    if samples is None:
        show.note("no samples (--data), so nothing was measured, and all sources count alike")
    else:
        with show.bar("integer test") as bar:
            measured = compare_on(net, image, samples, bar)
        if data is not None and measured["clipped"] > 0:
            show.note(
                f"{measured['clipped']:.1%} of the input values are beyond what the inputs hold and"
                " are cut; an imported network takes a larger --input-max"
            )
    save_image(image, output)
    result = {
        "task": net.task,
        **measured,
        **memory_report(image),
        "digest": image.digest(),
        "file": str(output),
    }
    show.result(result, title="Machine image")


def _samples(net: Network, own: Path | None) -> TaskData | None:
    """Samples of the file ``own``, else of the network's task, if it has one of ours."""
    if own is not None:
        shape = {"inputs": net.inputs, "classes": net.readouts}
        return load_samples(own, **shape, around=silence(net.provenance))
    return None if net.task == OWN_TASK else get_task(net.task).load()


def verilog(
    image: ImageFile,
    output: Folder,
    interface: Annotated[
        str, typer.Option(help=f"Ports: {' or '.join(filter(None, INTERFACES))}; else one a field.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Write the accelerator as one Verilog file, and its memory contents beside it."""
    if interface not in INTERFACES:
        known = ", ".join(filter(None, INTERFACES))
        raise TriodiaError(f"interface must be one of {known}, not {interface!r}")
    loaded = load_image(image)
    files = export_verilog(loaded, output, interface)
    result = {"verilog": str(files[0]), "digest": loaded.digest(), "memory_files": len(files) - 1}
    Output(as_json).result(result | {"files": [str(f) for f in files]}, title="Verilog")


def cosim(
    image: ImageFile,
    task: TaskName = "japanese-vowels",
    samples: Annotated[int, typer.Option(help="Test samples to run.", min=1)] = 10,
    data: DataFile = None,
    simulator: SimulatorName = "icarus",
    state: Annotated[bool, typer.Option("--state", help="Compare every state word too.")] = False,
    netlist: NetlistName = None,
    stall: Annotated[float, typer.Option(help="Chance of a pause on either stream.")] = 0.0,
    seed: Seed = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to keep; else temporary.", callback=a_folder),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the exported Verilog on test samples; compare every word with the reference."""
    show = Output(as_json)
    if not 0 <= stall < 1:
        raise TriodiaError(f"stall must be at least 0 and below 1, not {stall}")
    find_simulator(simulator)
    if netlist:
        check_netlist(state, simulator)
    loaded = load_image(image)
    held = task_data(loaded, task, data)
    sequences = input_events(loaded, held.x_test, held.len_test, limit=samples)
    show.note(f"{simulator}: {len(sequences)} samples, {sum(map(len, sequences))} steps")
    with scratch("triodia-cosim-") as aside:
        folder = output or aside
        made, given = _synthesized(loaded, netlist, folder, show)
        with show.bar("steps compared") as bar:
            result = cosimulate(
                loaded,
                sequences,
                folder,
                simulator=simulator,
                state=state,
                stall=(stall, stall),
                seed=seed,
                progress=bar,
                **given,
            )
        result = _kept(result) if output is None else result
    shown = {"samples": len(sequences), "netlist": made, **result.as_dict()}
    shown["cycles_per_sample"] = round(result.cycles / len(sequences), 1)
    show.result(shown, title="Co-simulation")
    if result.mismatches:
        raise CheckFailed(
            f"{result.mismatches} words differ; the first: {result.first}; "
            f"waveform: {result.waveform or 'none, Icarus is missing'}"
        )


def _synthesized(
    image: Image, netlist: str | None, folder: Path, show: Output
) -> tuple[dict | None, dict]:
    """What synthesis reports, and options by which the co-simulation runs what it made."""
    if netlist is None:
        return None, {}
    show.note(f"synthesis to {netlist} cells (Yosys)")
    report = asdict(netlist_verilog(image, folder / "netlist", netlist))
    return {"cells": netlist, **report}, {"verilog": folder / "netlist", "netlist": netlist}


def _kept(result: CosimResult) -> CosimResult:
    """``result`` with its waveform moved to where the user is."""
    if not result.waveform:
        return result
    kept = Path.cwd() / "divergence.fst"
    shutil.move(result.waveform, kept)  # the scratch folder may be on another disk
    return replace(result, waveform=str(kept))


def build(
    image: ImageFile,
    output: Folder,
    board: BoardName = "ulx3s-25f",
    seed: Annotated[int, typer.Option(help="Seed of the placement.", min=0)] = 1,
    router: Annotated[
        str | None, typer.Option(help="router1 (default), or router2 if that does not end.")
    ] = None,
    clock: Annotated[
        float | None, typer.Option(help="MHz; else what the design reaches.", min=1)
    ] = None,
    baud: Annotated[int, typer.Option(help="Bits a second of the serial port.", min=1)] = BAUD,
    parity: Parity = False,
    as_json: Json = False,
) -> None:
    """Make a bitstream: synthesis, place-and-route, contents; report resources and Fmax."""
    show = Output(as_json)
    chosen = get_board(board)
    report = build_bitstream(
        load_image(image),
        chosen,
        output,
        seed=seed,
        router=router,
        clock_hz=clock and _hertz(clock),
        baud=baud,
        parity=parity,
        progress=show.note,
    )
    result = asdict(report)
    result |= {"luts_available": chosen.luts, "blocks_available": chosen.blocks}
    show.result(result, title=f"Bitstream for {board}")


def _hertz(mhz: float) -> int:
    if not math.isfinite(mhz * 1e6):
        raise TriodiaError(f"clock must be a number of MHz, not {mhz:g}")
    return round(mhz * 1e6)


def patch(build_folder: BuildFolder, image: ImageFile, output: Out, as_json: Json = False) -> None:
    """Put another network into a finished build, without synthesis or place-and-route."""
    report = reprogram(build_folder, load_image(image), output)
    Output(as_json).result(asdict(report), title=f"Bitstream for {report.board}")


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (quantize, verilog, cosim, build, patch):
        app.command()(command)
