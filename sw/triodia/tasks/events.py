"""Samples as events: a channel at a time, binned to steps, made dense only where they are used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from triodia_hw.errors import TriodiaError

__all__ = ["MOST_INPUTS", "EventSamples", "bin_events", "rows", "sample_arrays"]

MOST_INPUTS = 1 << 14  # of a machine
_MOST_STEPS = (1 << 16) - 1
_CHUNK = 1 << 22  # events converted at once


@dataclass(frozen=True, eq=False)
class EventSamples:
    """Samples ``(samples, steps, inputs)`` of event counts, stored as events.

    Indexing the first axis gives a dense float32 array; :meth:`take` stays sparse. Several events
    of a channel in a step add up.

    Parameters
    ----------
    step, channel : ``(events,)`` of all samples, one after another; whole numbers.
    start : ``(samples + 1,)`` index of each sample's first event.
    steps : most steps of a sample.
    inputs : channels.
    bin : length of a step in the unit of the file's times, or None if it had steps.
    """

    step: np.ndarray
    channel: np.ndarray
    start: np.ndarray
    steps: int
    inputs: int
    bin: float | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Samples, steps, inputs."""
        return len(self.start) - 1, self.steps, self.inputs

    @property
    def size(self) -> int:
        """Values of the dense array."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return len(self.start) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        """Dense float32 counts of one sample ``(steps, inputs)`` or several."""
        chosen = np.arange(len(self))[index]
        dense = np.zeros((chosen.size, self.steps, self.inputs), np.float32)
        for row, k in zip(dense, np.atleast_1d(chosen), strict=True):
            mine = slice(self.start[k], self.start[k + 1])
            np.add.at(row, (self.step[mine], self.channel[mine]), 1)
        return dense if chosen.ndim else dense[0]

    def take(self, index: slice | np.ndarray) -> "EventSamples":
        """The same for chosen samples, still as events."""
        chosen = np.arange(len(self))[index]
        counts = np.diff(self.start)[chosen]
        start = np.concatenate([[0], np.cumsum(counts)])
        shift = np.repeat(self.start[chosen] - start[:-1], counts)
        events = np.arange(start[-1]) + shift
        shape = self.steps, self.inputs, self.bin
        return EventSamples(self.step[events], self.channel[events], start, *shape)

    def counts(self) -> Iterator[np.ndarray]:
        """Of each sample, how many events share a step and channel: one number for each such pair.

        Sample by sample, since all at once may be larger than the events.
        """
        for a, b in zip(self.start, self.start[1:], strict=False):
            place = self.step[a:b].astype(np.int64) * self.inputs + self.channel[a:b]
            yield np.unique(place, return_counts=True)[1]


def rows(x: np.ndarray | EventSamples, index: slice | np.ndarray) -> np.ndarray | EventSamples:
    """Chosen samples of ``x``, in the form that ``x`` has."""
    return x.take(index) if isinstance(x, EventSamples) else x[index]


def sample_arrays(x: np.ndarray | EventSamples) -> list[np.ndarray]:
    """The arrays that hold samples, for a digest of them."""
    return [x.step, x.channel, x.start] if isinstance(x, EventSamples) else [x]


def bin_events(
    source: str,
    times: np.ndarray | Sequence[np.ndarray],
    channels: np.ndarray | Sequence[np.ndarray],
    start: np.ndarray,
    *,
    bin: float | None,
    inputs: int,
    lengths: np.ndarray | None = None,
) -> tuple[EventSamples, np.ndarray]:
    """Samples of events ``(events,)`` and their steps ``(samples,)``.

    ``start`` ``(samples + 1,)`` is where each sample begins. A step is ``bin`` long, in the unit of
    ``times``; without it, times are the steps. ``lengths`` are by default up to the last event.
    ``source`` names the events in errors.

    Raises
    ------
    TriodiaError
        If times are negative, not finite, unsorted within a sample or not whole without a ``bin``,
        or a channel is out of range.
    """
    if bin is not None and not 0 < bin < np.inf:
        raise TriodiaError(f"`--bin` must be above 0, got {bin:g}.")
    step = np.empty(len(times), np.uint16)
    channel = np.empty(len(times), np.uint16)
    for a in range(0, len(times), _CHUNK):
        chunk = slice(a, a + _CHUNK)
        step[chunk] = _steps(source, times[chunk], bin)
        channel[chunk] = _channels(source, channels[chunk], inputs)
        _check_order(source, times[max(a - 1, 0) : a + _CHUNK], max(a - 1, 0), start)
    found = _last_steps(step, start)
    if lengths is None:
        lengths = found
    elif np.any(lengths < found):
        k = int(np.flatnonzero(lengths < found)[0])
        raise TriodiaError(
            f"{source}: sample {k} has an event in step {found[k] - 1}, but only {lengths[k]}"
            " steps; raise its length or drop the event."
        )
    x = EventSamples(step, channel, np.asarray(start, np.int64), int(lengths.max()), inputs, bin)
    return x, np.asarray(lengths, np.int64)


def _steps(source: str, times: np.ndarray, bin: float | None) -> np.ndarray:
    if times.dtype.kind not in "fiu":
        raise TriodiaError(f"{source}: times must be numbers, got {times.dtype}.")
    times = times.astype(np.float64)
    if not np.all(np.isfinite(times)):
        raise TriodiaError(f"{source}: times must be finite; they hold NaN or infinity.")
    if times.size and times.min() < 0:
        raise TriodiaError(
            f"{source}: times must be 0 or more, got {times.min():g}; subtract the first."
        )
    if bin is None and np.any(times != np.rint(times)):
        wrong = times[times != np.rint(times)][0]
        raise TriodiaError(
            f"{source}: without `--bin` times are whole steps, got {wrong:g}; pass the length of a"
            " step, such as `--bin 0.01`."
        )
    # A time on an edge begins a step, though 0.03 / 0.01 is a little less than 3 in floats.
    steps = np.floor(times / (bin or 1) + 1e-9)
    if steps.size and steps.max() >= _MOST_STEPS:
        raise TriodiaError(
            f"{source}: an event at {times.max():g} falls into step {steps.max():.0f}, and a sample"
            f" may have {_MOST_STEPS:,} steps; pass a longer step with `--bin`."
        )
    return steps


def _channels(source: str, channels: np.ndarray, inputs: int) -> np.ndarray:
    if channels.dtype.kind not in "iu":
        raise TriodiaError(f"{source}: channels must be whole numbers, got {channels.dtype}.")
    if channels.size and (channels.min() < 0 or channels.max() >= inputs):
        wrong = channels.min() if channels.min() < 0 else channels.max()
        raise TriodiaError(
            f"{source}: channels must be between 0 and {inputs - 1}, got {int(wrong)}."
        )
    return channels


def _check_order(source: str, times: np.ndarray, offset: int, start: np.ndarray) -> None:
    back = np.flatnonzero(np.diff(times.astype(np.float64)) < 0) + offset + 1
    back = back[~np.isin(back, start)]  # a new sample starts anew
    if back.size:
        sample = int(np.searchsorted(start, back[0], side="right")) - 1
        raise TriodiaError(
            f"{source}: the times of sample {sample} are not in order; sort each sample's events"
            " by time."
        )


def _last_steps(step: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Steps up to the last event of each sample, at least one."""
    start = np.asarray(start)
    last = np.ones(len(start) - 1, np.int64)
    filled = start[1:] > start[:-1]
    last[filled] = step[start[1:][filled] - 1].astype(np.int64) + 1
    return last
