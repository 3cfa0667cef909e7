"""Load a folder of events, train two updates of 64 samples; print their number and megabytes."""

import resource
import sys
from pathlib import Path

import torch

from triodia.network.random import new_network
from triodia.tasks.own import own_task
from triodia.train.attach import attach
from triodia.train.loop import settings_for
from triodia.train.model import SpikingModel
from triodia.train.training import Training


def main(folder: Path) -> None:
    task = own_task(folder)
    settings, data = settings_for(task, {}), task.load()
    net = attach(new_network(layers=(256, 128), seed=0), task, data, 0, settings)
    run = Training(SpikingModel(net), data, settings, epochs=1)
    for k in range(2):
        run.update(torch.arange(64 * k, 64 * (k + 1)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kilobytes on Linux
    print(run.schedule.last_epoch, round(peak))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
