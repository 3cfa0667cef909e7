"""Spikes as a picture of characters: time to the right, neurons downwards."""

import numpy as np

__all__ = ["raster"]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character
_ASCII = " '.:"
_ROWS = 64  # dots, 16 lines of braille


def raster(spikes: np.ndarray, width: int, *, unicode: bool = True) -> list[str]:
    """Lines of at most ``width`` characters that show ``spikes`` ``(steps, neurons)``, bool.

    A dot is a spike of one or more neurons in one or more steps, as many as it takes to fit. With
    ``unicode`` a character is 2 by 4 dots of braille, otherwise one of two dots in ASCII.
    """
    steps, neurons = spikes.shape
    label = f"neuron {neurons:,} "
    across, down = (2, 4) if unicode else (1, 2)
    room = max(width - len(label) - 1, 8) * across
    dots = _gathered(_gathered(spikes, -(-steps // room), 0), -(-neurons // _ROWS), 1).T
    if unicode and 2 * dots.shape[1] <= room:  # few steps: a character each
        dots = np.insert(dots, range(1, dots.shape[1] + 1), False, axis=1)
    dots = np.pad(dots, [(0, -dots.shape[0] % down), (0, -dots.shape[1] % across)])
    cells = dots.reshape(dots.shape[0] // down, down, dots.shape[1] // across, across)
    draw = _braille if unicode else _ascii
    lines = ["".join(map(draw, row.swapaxes(0, 1))) for row in cells]
    side, ends = "│" if unicode else "|", {0: "neuron 1 ", len(lines) - 1: label}
    lines = [ends.get(y, "").rjust(len(label)) + side + line for y, line in enumerate(lines)]
    foot = f"step 1{f'{steps:,}'.rjust(max(cells.shape[2] - 6, 0))}"
    return [*(line.rstrip() for line in lines), " " * (len(label) + 1) + foot]


def _gathered(spikes: np.ndarray, size: int, axis: int) -> np.ndarray:
    """``spikes`` with ``size`` neighbours along ``axis`` as one: any of them."""
    starts = range(0, spikes.shape[axis], size)
    return np.logical_or.reduceat(spikes, starts, axis=axis)


def _braille(dots: np.ndarray) -> str:
    return chr(0x2800 + int((dots * _DOTS).sum()))


def _ascii(dots: np.ndarray) -> str:
    return _ASCII[int(dots[0, 0]) + 2 * int(dots[1, 0])]
