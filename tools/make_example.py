"""Make ``examples/``: a trained image of JapaneseVowels, and three of its test samples."""

import argparse
from pathlib import Path

import numpy as np
import torch

from triodia.network.random import new_network
from triodia.prune.pipeline import prune
from triodia.quantize.inference import classify, input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import TaskData, get_task
from triodia.train.loop import train
from triodia.train.settings import Settings
from triodia_hw.machine.image import Image, save_image

_SPEAKERS = (0, 4, 8)  # of nine; a sample each


def make_image(seed: int, epochs: int) -> tuple[Image, TaskData]:
    """128 neurons at 20 % of their synapses, trained and quantized to 8 bits, and the task."""
    task = get_task("japanese-vowels")
    data = task.load()
    sparse, _ = prune(new_network(128, seed), synapses=0.2, nodes=1.0, seed=seed)
    trained, _ = train(sparse, task, seed=seed, data=data, epochs=epochs)
    return quantize(trained, data, QuantizeOptions()), data


def choose_samples(image: Image, data: TaskData) -> list[int]:
    """The first test sample of each of three speakers that the image gets right, or the first."""
    sequences = input_events(image, data.x_test, data.len_test)
    chosen = []
    for speaker in _SPEAKERS:
        candidates = np.flatnonzero(data.y_test == speaker).tolist()
        right = (k for k in candidates if classify(image, sequences[k])[0] == speaker)
        chosen.append(next(right, candidates[0]))
    return chosen


def main() -> None:
    """Write ``japanese-vowels.image`` and ``japanese-vowels.npz``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("examples"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    options = parser.parse_args()
    torch.set_num_threads(1)
    image, data = make_image(options.seed, options.epochs)
    chosen = choose_samples(image, data)
    save_image(image, options.folder / "japanese-vowels.image")
    arrays = {"x": data.x_test, "lengths": data.len_test, "y": data.y_test}
    samples = {name: array[chosen] for name, array in arrays.items()}
    np.savez_compressed(options.folder / "japanese-vowels.npz", **samples)


if __name__ == "__main__":
    main()
