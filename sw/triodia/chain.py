"""The whole chain for one sparsity: prune, train, quantize, co-simulate, build."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from triodia_boards.boards import get_board
from triodia_boards.fit import check_fit
from triodia_boards.flow import build
from triodia_hw.bound import work_of
from triodia_hw.image import Image, save_image
from triodia_sim.runner import cosimulate

from .files import save_network
from .inference import evaluate_image, input_events
from .lnp.pipeline import prune
from .network import Network, new_network
from .quantize import QuantizeOptions, quantize
from .tasks import TaskData, get_task
from .train import Settings, evaluate, train

__all__ = ["ChainOptions", "run_chain"]

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ChainOptions:
    """What a row of a comparison is made with; ``samples`` are those co-simulated."""

    task: str = "japanese-vowels"
    neurons: int = 128
    method: str = "lnp"
    nodes: float = 1.0
    weight_bits: int = 8
    lanes: int = 4
    board: str = "ulx3s-25f"
    epochs: int = Settings.epochs
    target_rate: float = 0.05
    samples: int = 10
    simulator: str = "icarus"
    seed: int = 0
    place_seed: int = 1


def run_chain(o: ChainOptions, synapses: float, folder: Path, progress: Progress) -> dict:
    """One row: the fraction ``synapses`` of the recurrent synapses kept; files in ``folder``.

    Every row starts from the same dense random network (``o.seed``). The metrics are over the
    whole test set, cycles over the co-simulated samples, microseconds are cycles over nextpnr's
    Fmax. The row says what was compared in co-simulation and how many words differed.
    """
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    data = get_task(o.task).load()
    net, measured = _trained(o, synapses, data, progress)
    save_network(net, folder / "trained.net")
    progress("quantize")
    options = QuantizeOptions(weight_bits=o.weight_bits, lanes=o.lanes)
    image = quantize(net, data, options)
    save_image(image, folder / "model.image")
    check_fit(image.params, get_board(o.board))
    integer = evaluate_image(image, data)
    row = {
        "synapses_kept": synapses,
        "metric_float": measured["accuracy"],
        "metric_integer": integer["metric"],
        "rate": integer["rate"],
        "neurons": net.neurons,
        "synapses": net.synapses,
        "synapses_stored": image.synapses,
        "sops_per_sample": integer["sops_per_sample"],
    }
    row |= _cosimulated(o, image, data, folder, progress)
    row |= _built(o, image, folder, progress)
    row["us_per_sample"] = round(row["cycles_per_sample"] / row["fmax_mhz"], 2)
    row["seconds"] = round(time.monotonic() - start, 1)
    return row


def _trained(
    o: ChainOptions, synapses: float, data: TaskData, progress: Progress
) -> tuple[Network, dict]:
    net = new_network(o.neurons, o.seed)
    if synapses < 1 or o.nodes < 1:
        progress(f"prune by {o.method}")
        net, _ = prune(net, method=o.method, synapses=synapses, nodes=o.nodes, seed=o.seed)

    def report(e: dict) -> None:
        if e["epoch"] % 10 == 0 or e["epoch"] == e["epochs"]:
            progress(f"train, epoch {e['epoch']} of {e['epochs']}")

    net, _ = train(
        net,
        get_task(o.task),
        data=data,
        seed=o.seed,
        epochs=o.epochs,
        target_rate=o.target_rate,
        progress=report,
    )
    return net, evaluate(net, data)


def _cosimulated(
    o: ChainOptions, image: Image, data: TaskData, folder: Path, progress: Progress
) -> dict:
    progress(f"co-simulate {o.samples} samples ({o.simulator})")
    sequences = input_events(image, data.x_test, data.len_test, limit=o.samples)
    result = cosimulate(image, sequences, folder / "cosim", simulator=o.simulator)
    work = work_of(image, sequences)
    return {
        "cycles_per_sample": round(result.cycles / len(sequences), 1),
        "cycles_per_step": result.cycles_per_step,
        "cosim": {
            key: value
            for key, value in result.as_dict().items()
            if key
            in ("simulator", "steps", "spikes", "words", "operations", "mismatches", "cycles")
        }
        | {"samples": len(sequences), "first": str(result.first) if result.first else None},
        "cycles_over_bound": round(result.cycles / sum(step.bound for step in work), 4),
        "load_balance": round(float(np.mean([step.balance for step in work])), 4),
        "mismatches": result.mismatches,
    }


def _built(o: ChainOptions, image: Image, folder: Path, progress: Progress) -> dict:
    board = get_board(o.board)
    report = build(image, board, folder / "board", seed=o.place_seed, progress=progress)
    built = asdict(report)
    return {
        **{key: built[key] for key in ("luts", "registers", "blocks", "multipliers", "fmax_mhz")},
        "build_seconds": report.seconds,
        "bitstream": report.bitstream,
    }
