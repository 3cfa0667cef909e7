"""The history of a training as files, and as a line in the terminal."""

import csv
from pathlib import Path

from triodia_hw.errors import MissingTool

__all__ = ["sparkline", "write_csv", "write_events"]

_BARS = {True: "▁▂▃▄▅▆▇█", False: "_.-=*#"}


def write_csv(path: Path, history: list[dict]) -> None:
    """One line per epoch: epoch, loss, accuracy, rate, and validation if there was one."""
    names = [name for name in history[0] if name != "epochs"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(history)


def write_events(folder: Path, history: list[dict]) -> None:
    """The same as TensorBoard's event files.

    Raises
    ------
    MissingTool
        If the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter  # needs a package of its own
    except ImportError as error:
        raise MissingTool(
            "--tensorboard needs the package tensorboard, which is not installed."
            " Run: pip install tensorboard"
        ) from error
    with SummaryWriter(str(folder)) as writer:
        for entry in history:
            for name in entry.keys() - {"epoch", "epochs"}:
                writer.add_scalar(name, entry[name], entry["epoch"])


def sparkline(values: list[float], width: int = 40, *, unicode: bool = True) -> str:
    """``values`` as a line of at most ``width`` bars; the lowest and highest bound the scale."""
    count = min(width, len(values))
    groups = [
        values[k * len(values) // count : (k + 1) * len(values) // count] for k in range(count)
    ]
    means = [sum(group) / len(group) for group in groups]
    low, bars = min(means), _BARS[unicode]
    span = (max(means) - low) or 1.0
    return "".join(bars[round((value - low) / span * (len(bars) - 1))] for value in means)
