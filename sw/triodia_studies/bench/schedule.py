"""Benchmark cycles of trained networks against the bound, and the balance of the placement."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.prune.pipeline import prune
from triodia.quantize.inference import input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import TaskData, get_task
from triodia.train.loop import train
from triodia_hw.cost.bound import work_of
from triodia_hw.cost.cycles import step_cycles
from triodia_hw.machine.image import Image
from triodia_hw.machine.reference import Reference
from triodia_sim.runner import cosimulate
from triodia_sim.scoreboard import Sequence

__all__ = ["CASES", "plan", "scheduled", "trained_network"]

# Task, recurrent neurons, synapses kept, PEs.
CASES = (
    ("japanese-vowels", 128, 1.0, (8,)),
    ("japanese-vowels", 128, 0.5, (8,)),
    ("japanese-vowels", 128, 0.2, (8,)),
    ("japanese-vowels", 128, 0.1, (8,)),
    ("japanese-vowels", 256, 0.1, (4, 8, 16)),
    ("digits", 256, 0.1, (4, 8, 16)),
)
_EPOCHS, _SAMPLES, _PERMUTATIONS = 20, 40, 5


def plan(seeds: int) -> list[dict]:
    """Choices of :func:`scheduled` for every case and seed."""
    names = ("task", "neurons", "kept", "lanes")
    cases = [dict(zip(names, case, strict=True)) for case in CASES]
    return [case | {"seed": seed, "samples": _SAMPLES} for case in cases for seed in range(seeds)]


@stage(label="cycles", cost=30.0)
def scheduled(folder: Path, choices: dict) -> dict:
    """``rows`` of one trained network, one for each number of ``lanes``.

    ``choices``: task, neurons, part of the synapses ``kept``, lanes, seed, samples.
    """
    torch.set_num_threads(1)  # jobs share the cores
    data, rows = get_task(choices["task"]).load(), []
    names = {key: choices[key] for key in ("task", "neurons", "kept", "seed")}
    net = trained_network(choices["task"], data, *(choices[k] for k in ("neurons", "kept", "seed")))
    for lanes in choices["lanes"]:
        image = quantize(net, data, QuantizeOptions(lanes=lanes))
        sequences = input_events(image, data.x_test, data.len_test, limit=choices["samples"])
        measured = _measure(image, sequences, folder / str(lanes))
        rows.append(names | {"lanes": lanes} | measured)
    return {"rows": rows}


def trained_network(task: str, data: TaskData, neurons: int, synapses: float, seed: int) -> Network:
    """A network pruned by LNP to the share ``synapses`` of its recurrent ones, and trained."""
    net = new_network(neurons, seed)
    if synapses < 1:
        net, _ = prune(net, method="lnp", synapses=synapses, nodes=1.0, seed=seed)
    net, _ = train(net, get_task(task), data=data, seed=seed, epochs=_EPOCHS, target_rate=0.05)
    return net


def _measure(image: Image, sequences: list[Sequence], folder: Path) -> dict:
    work = work_of(image, sequences)
    ends = step_cycles(image, sequences)
    bound = sum(step.bound for step in work)
    operations = sum(int(step.loads.sum()) for step in work)
    seen = cosimulate(image, sequences[:1], folder)
    lanes = image.params.lanes
    return {
        "steps": len(work),
        "cycles_per_step": float(ends[-1] / len(work)),
        "bound_per_step": bound / len(work),
        "cycles_over_bound": float(ends[-1] / bound),
        "slots": image.params.slots,
        "events_per_step": float(np.mean([step.events for step in work])),
        "load_per_step": float(np.mean([step.loads.max() for step in work])),
        "sops_per_lane_cycle": float(operations / lanes / ends[-1]),
        "balance": _balance(image, sequences),
        "balance_random": _random_balance(image, sequences),
        "quiet": _quiet(image, sequences),
        "rtl_steps": seen.steps,
        "rtl_mismatches": seen.mismatches,
        "model_minus_rtl": int(np.abs(ends[: seen.steps] - np.array(seen.ends)).max()),
    }


def _balance(image: Image, sequences: list[Sequence]) -> float:
    """Mean over steps of the PEs' mean load divided by the largest."""
    return float(np.mean([step.balance for step in work_of(image, sequences)]))


def _random_balance(image: Image, sequences: list[Sequence]) -> float:
    rng, p = np.random.default_rng(0), image.params
    large = replace(p, synapse_words=1 << 20, row_words=1 << 14)
    return float(
        np.mean([
            _balance(replace(image, params=large, slot=slots[: p.neurons]), sequences)
            for slots in (rng.permutation(p.lanes * p.slots) for _ in range(_PERMUTATIONS))
        ])
    )


def _quiet(image: Image, sequences: list[Sequence]) -> float:
    """Share of neuron updates that change nothing: state zero before and after, no spike.

    The most that a sweep which skips such neurons could save.
    """
    reference, quiet, updates = Reference(image), 0, 0
    for sequence in sequences:
        reference.reset()
        for events in sequence:
            before = reference.state
            result = reference.step(events)
            after, busy = result.state, np.zeros(image.params.neurons, bool)
            busy[result.spikes] = True
            for part in (before.v, before.u, before.r, after.v, after.u, after.r):
                busy |= part != 0
            quiet += int((~busy).sum())
            updates += busy.size
    return quiet / updates
