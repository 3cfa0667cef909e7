"""Compute a cell of the study: network, pruning or control, training, score."""

from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import torch

from triodia.lab.stage import stage
from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.prune.controls import activity_like, control_like
from triodia.prune.pipeline import prune
from triodia.prune.spectrum import network_spectrum
from triodia.tasks.catalog import Task, get_task
from triodia.tasks.samples import TaskData
from triodia.tasks.series import Series, get_series
from triodia.train.attach import attach
from triodia.train.loop import train
from triodia.train.measure import evaluate
from triodia.train.model import SpikingModel
from triodia.train.readouts import ridge_readout, stdp
from triodia.train.settings import Settings
from triodia_hw.errors import TriodiaError

from ..forecast import EchoState, ForecastSettings, SpikingReservoir, forecast
from .cell import LEVELS, RICH, TASKS, Cell
from .feedforward import feedforward_network

__all__ = ["RECIPES", "compute", "dense_network", "pruned_network", "solved", "without_synapses"]

_NEURONS = 300
_SUBSETS = {"fashion-mnist": (4000, 2000)}
_DATA_OF = {  # other tasks on the same data
    "fashion-mnist-all": "fashion-mnist",
    "lorenz-rich": "lorenz",
    "rossler-rich": "rossler",
}
_EPOCHS = {"japanese-vowels": 40, "digits": 20, "watch": 20}  # of BP; others as their recipe says
# Without noise a free run of Rössler leaves the attractor; for rich readouts see docs/tried.md.
_FREE_NOISE = {"rossler": 0.05, "lorenz-rich": 1e-3, "rossler-rich": 0.01}
_PENALTIES = (1e-6, 1e-4, 1e-2, 1.0, 1e2)  # of readouts without the noise of spikes, or large
RECIPES = ((0.9, 0.5, 0.5), (0.5, 0.3, 0.5), (0.3, 0.8, 0.2))  # radius, leak and gain of the ESN


@lru_cache(maxsize=4)
def dense_network(kind: str, seed: int, quick: bool = False) -> Network:
    """The network that is pruned."""
    neurons = 100 if quick else _NEURONS
    if kind == "clustered":
        return clustered_network(neurons, seed)
    if kind == "short":
        return clustered_network(100, seed, tau_mean=4.0)
    if kind == "short-single":
        return new_network(100, seed, density=0.2, tau_mean=4.0)
    if kind == "single":
        return new_network(neurons, seed, density=0.2)
    if kind == "complete":
        return new_network(neurons, seed)
    return feedforward_network(neurons, seed)


@lru_cache(maxsize=8)
def _lnp(kind: str, level: str, steps: str, options: tuple, seed: int, quick: bool) -> Network:
    synapses, nodes = LEVELS[level]
    chosen = {"trials": 8 if quick else 30, **dict(options)}
    names = tuple(steps.split("+"))
    dense = dense_network(kind, seed, quick)
    return prune(dense, synapses=synapses, nodes=nodes, seed=seed, steps=names, **chosen)[0]


@lru_cache(maxsize=4)
def _series(name: str, seed: int, quick: bool) -> Series:
    series = get_series(_DATA_OF.get(name, name), seed)
    return replace(series, train=series.train[:1500], test=series.test[:1500]) if quick else series


@lru_cache(maxsize=4)
def _samples(name: str, quick: bool) -> TaskData:
    data = _task(name).load()
    train, test = _SUBSETS.get(name, (len(data.y_train), len(data.y_test)))
    return data.subset(300, 300) if quick else data.subset(train, test)


def _task(name: str) -> Task:
    return get_task(_DATA_OF.get(name, name))


def pruned_network(cell: Cell, device: str = "cpu") -> Network:
    """The network of a cell before training; for "activity", a dense one is trained first."""
    method, _, change = cell.method.partition("+")
    if change == "inputs":
        return _pruned_late(cell, method, device)
    dense = dense_network(cell.network, cell.seed, cell.quick)
    net = dense if method == "dense" else _thinned(cell, method, dense, device)
    if change == "cut":
        return without_synapses(net)
    return _regained(net, dense) if change == "gain" else net


def _thinned(cell: Cell, method: str, dense: Network, device: str) -> Network:
    options = tuple(sorted(cell.options.items()))
    lnp = _lnp(cell.network, cell.level, cell.steps, options, cell.seed, cell.quick)
    if method == "lnp":
        return lnp
    if method == "activity":
        same = (cell.task, cell.training, cell.network, cell.seed, cell.quick)
        trained, rates = _active(*same, device)
        trained = replace(dense, w_rec=trained.w_rec, tau_mem=trained.tau_mem)
        return activity_like(trained, rates, lnp.neurons, lnp.synapses)
    keep = LEVELS[cell.level][0]
    return control_like(method, dense, lnp.neurons, lnp.synapses, cell.seed, keep)


def _pruned_late(cell: Cell, method: str, device: str) -> Network:
    """Prune a trained dense network; inputs, readouts and biases stay. LNP keeps its own counts."""
    same = (cell.task, cell.training, cell.network, cell.seed, cell.quick)
    trained, rates = _active(*same, device)
    keep, nodes = LEVELS[cell.level]
    steps = tuple(cell.steps.split("+"))
    if method == "dense":
        return trained
    if method == "lnp":
        return prune(trained, synapses=keep, nodes=nodes, seed=cell.seed, steps=steps)[0]
    lnp = _lnp(cell.network, cell.level, cell.steps, (), cell.seed, cell.quick)
    if method == "activity":
        return activity_like(trained, rates, lnp.neurons, lnp.synapses)
    return control_like(method, trained, lnp.neurons, lnp.synapses, cell.seed, keep)


def without_synapses(net: Network) -> Network:
    """Cut all recurrent synapses; neurons stay."""
    return replace(net, w_rec=0 * net.w_rec, mask_rec=np.zeros_like(net.mask_rec))


def _regained(net: Network, like: Network) -> Network:
    """Scale weights so that the mean summed square per neuron equals that of ``like``."""
    gains = [float(np.sqrt((n.w_rec.astype(float) ** 2).sum() / n.neurons)) for n in (net, like)]
    return replace(net, w_rec=net.w_rec * (gains[1] / max(gains[0], 1e-12)))


@lru_cache(maxsize=8)
def _active(
    task: str, training: str, network: str, seed: int, quick: bool, device: str
) -> tuple[Network, np.ndarray]:
    """A network trained dense, and its rates on training samples."""
    dense = dense_network(network, seed, quick)
    if TASKS[task][0] != "accuracy":
        series, s = _series(task, seed, quick), _settings(task)
        reservoir = SpikingReservoir(dense, series.train.shape[1], seed, s)
        for row in series.train:
            reservoir.step(row[None])
        return dense, reservoir.spikes / reservoir.steps
    data = _samples(task, quick)
    trained = _trained(dense, task, training, data, seed, device)
    x, lengths = trained.scale_input(data.x_train[:500]), data.len_train[:500]
    with torch.no_grad():
        spikes = SpikingModel(trained)(torch.tensor(x), torch.tensor(lengths)).spikes
    return trained, spikes.sum((0, 1)).double().numpy() / lengths.sum()


def _trained(
    net: Network, task: str, training: str, data: TaskData, seed: int, device: str
) -> Network:
    chosen, keep = _task(task), net.task is not None
    if training == "bp":
        options = {"epochs": _EPOCHS[task]} if task in _EPOCHS else {}
        return train(net, chosen, seed=seed, data=data, device=device, keep=keep, **options)[0]
    net = net if keep else attach(net, chosen, data, seed, Settings())
    if training == "stdp":
        net = stdp(net, data, seed=seed)
    return ridge_readout(net, chosen, data, seed=seed)


def _settings(task: str) -> ForecastSettings:
    s = ForecastSettings(noise=_FREE_NOISE.get(task, 0.0))
    more = {"potentials": True, "squares": True, "horizon": 12.0, "ridge": _PENALTIES}
    return replace(s, **more) if task in RICH else s


def _seconds(choices: dict) -> float:
    """Medians of the published results, by training and task (docs/lnp-study.json.gz)."""
    cell = choices["cell"]
    tasks = {"fashion-mnist-all": 330.0, "watch": 40.0, "fashion-mnist": 15.0}
    bp = tasks.get(cell["task"], 9.0)
    seconds = bp if cell["training"] == "bp" else 3.0
    return seconds / 10 if cell["quick"] else seconds


@stage(label="cell", cost=_seconds)
def solved(folder: Path, choices: dict) -> dict:
    """The ``result`` of a cell; or ``refused``, the reason why its settings are impossible."""
    torch.set_num_threads(1)  # jobs share the cores
    try:
        return {"result": compute(Cell(**choices["cell"]), choices["device"])}
    except TriodiaError as error:
        if error.exit_code != TriodiaError.exit_code:
            raise  # something is not installed: that is no result
        return {"refused": str(error)}


def compute(cell: Cell, device: str = "cpu") -> dict:
    """JSON result of a cell: metric, rate, synaptic operations and counts; deterministic.

    ``sops``: synaptic operations of the recurrent part per sample, after training. ``device``:
    where backpropagation runs (``triodia.train.device``); everything else runs on the CPU.
    """
    if cell.part == "dynamics":
        return _dynamics(pruned_network(cell, device), cell.seed)
    if cell.method == "esn":
        return _echo(cell)
    net = pruned_network(cell, device)
    if TASKS[cell.task][0] == "accuracy":
        data = _samples(cell.task, cell.quick)
        how = (cell.task, cell.training, data, cell.seed, device)
        trained = _trained(net, *how)
        if cell.method.endswith("+twice"):
            trained = _trained(trained, *how)  # goes on
        found = evaluate(trained, data)
        kept = {"accuracy": found["accuracy"], "rate": found["rate"], "sops": found["sops_rec"]}
        return kept | trained.counts()
    series, s = _series(cell.task, cell.seed, cell.quick), _settings(cell.task)
    inputs = series.train.shape[1]
    reservoir = SpikingReservoir(net, inputs, cell.seed, s)
    found = forecast(reservoir, series, s, cell.seed)
    features = net.neurons * (1 + s.potentials) * (1 + s.squares)
    s_in, s_out = int(reservoir.mask_in.sum()), inputs * features
    counts = {"synapses_in": s_in, "synapses_out": s_out}
    return found | net.counts() | counts | {"synapses_total": net.synapses + s_in + s_out}


def _echo(cell: Cell) -> dict:
    """Best of several echo state networks of equal units and synapses, by test score.

    Tries three recipes, each fitted with noise 0, 0.001 and the spiking networks'; and, if the
    spiking networks have a richer readout, with and without squares. Choosing on the test score
    favours the echo state network.
    """
    lnp = _lnp(cell.network, cell.level, cell.steps, (), cell.seed, cell.quick)
    series, found = _series(cell.task, cell.seed, cell.quick), []
    base = replace(_settings(cell.task), ridge=_PENALTIES, horizon=12.0)
    noises, rich = sorted({0.0, 1e-3, base.noise}), sorted({False, base.squares})
    for (radius, leak, gain), noise, squares in product(RECIPES, noises, rich):
        s = replace(base, noise=noise, squares=squares)
        shape = {"radius": radius, "leak": leak, "gain": gain}
        net = EchoState(lnp.neurons, lnp.synapses, series.train.shape[1], cell.seed, **shape)
        said = {"recipe": [radius, leak, gain, noise], "squares": squares}
        found.append(forecast(net, series, s, cell.seed) | said)
    metric, more = TASKS[cell.task]
    best = max(found, key=lambda f: f[metric] if more else -f[metric])
    return best | {"neurons": lnp.neurons, "synapses": lnp.synapses}


def _dynamics(net: Network, seed: int, lags: int = 41) -> dict:
    """Lyapunov spectrum (quantiles) and mean autocorrelation of the potentials under noise."""
    if net.tau_syn is not None:
        raise TriodiaError("autocorrelation is of networks without synaptic current")
    found = network_spectrum(net, seed=seed)
    rng, beta = np.random.default_rng([seed, 17]), np.exp(-1 / net.tau_mem.astype(float))
    w, sigma = net.w_rec.astype(float), np.sqrt(1 - beta**2)
    v, s, seen = np.zeros(net.neurons), np.zeros(net.neurons), []
    for t in range(2200):
        v = beta * v + w @ s + sigma * rng.standard_normal(net.neurons)
        s = (v >= net.threshold).astype(float)
        v = v - s * net.threshold
        if t >= 200:
            seen.append(v)
    x = np.array(seen) - np.mean(seen, axis=0)
    power = (x**2).mean(0)
    curve = [float(((x[: len(x) - k] * x[k:]).mean(0) / power).mean()) for k in range(lags)]
    quantiles = np.quantile(found.exponents, np.linspace(1, 0, 41))
    return {
        "spectrum_quantiles": quantiles.tolist(),
        "autocorrelation": curve,
        "rate": found.rate,
        "neurons": net.neurons,
        "synapses": net.synapses,
    }
