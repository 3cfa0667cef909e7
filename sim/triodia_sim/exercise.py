"""What a bench does after the samples: bursts, stalls, reads, resets and loads.

:func:`exercise` yields actions, tuples whose first item is one of these names:

- ``part`` name: what follows belongs to this part.
- ``event`` channel, payload; ``end`` last; ``read`` word: send a word.
- ``wait``: until everything that was asked for has come, and for a while nothing more.
- ``report``: send a read of the counters; ``reported``: the answer shows a cycle in between.
- ``counters``: wait, then compare the counters, at the ports and by a read.
- ``pace`` chance, chance: that sender and receiver pause in a cycle, from now on.
- ``shut`` cycles: the receiver takes nothing for so many cycles from now.
- ``idle`` cycles: send nothing.
- ``reset`` cycles: reset for so many cycles; what is under way is lost.
- ``load`` bytes, image: load blocks that turn the machine into one of ``image``.
- ``stray``: from now on, fields of input words that do not count hold anything.
- ``drain``: words that waited when a load came leave; the rest of what was asked is lost.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from triodia_hw.compile.contents import contents, memory_shapes, read_words
from triodia_hw.compile.loading import block_header, block_unit, load_bytes
from triodia_hw.machine.image import Image
from triodia_hw.machine.params import bits_for
from triodia_hw.machine.words import readable

__all__ = ["Action", "altered", "difference", "exercise", "moved", "nowhere"]

Action = tuple  # a name of the list above, and its arguments

_LONG = 3000  # bytes up to which a whole network is loaded
_FREE = 500  # cycles of a full step of four PEs up to which a machine gets all steps there are


def exercise(
    image: Image, seed: int, *, loadable: bool = True, longest: int = 20
) -> Iterator[Action]:
    """Actions for a machine of ``image`` that is idle; the same seed gives the same actions.

    ``longest``: words of the longest block that is loaded to a PE that does not exist.
    """
    steps = _Steps(image, seed)
    yield ("stray",)
    yield "part", "counters"
    yield ("counters",)
    yield from _queues(steps)
    yield from _reads(steps)
    yield "part", "stalls"
    yield "pace", 0.5, 0.5
    yield from steps.several(steps.count(4, 2))
    yield ("wait",)
    yield "pace", 0.0, 0.0
    yield "part", "many steps"
    yield from steps.several(steps.count(100, 3))
    yield ("counters",)
    yield from _resets(steps)
    if loadable:
        yield from _loads(steps, altered(image, seed), longest)
    yield "part", "silence"
    yield "idle", 1500
    yield ("counters",)


class _Steps:
    """Random steps of an image; the events of a step come in any order."""

    def __init__(self, image: Image, seed: int) -> None:
        self.image, self.chance = image, random.Random(seed)
        p = image.params
        full = p.slots + 60 + p.inputs + int(image.words_per_lane().max())
        self.full = full
        self.share = min(1.0, _FREE / full * 4 / max(p.lanes, 4))

    def count(self, most: int, least: int) -> int:
        """How many of something, at most and at least: fewer where simulation takes long."""
        return max(least, round(most * self.share))

    def events(self, rate: float) -> list[Action]:
        """Events of a step; ``rate`` is the chance that a channel sends."""
        p, chance = self.image.params, self.chance
        limit = p.greatest_payload
        channels = [c for c in range(p.inputs) if chance.random() < rate]
        chance.shuffle(channels)
        ends = (-limit, limit - 1)
        return [
            ("event", c, chance.choice([*ends, chance.randint(*ends)]) if p.graded else 1)
            for c in channels
        ]

    def several(self, count: int) -> Iterator[Action]:
        """Steps, some of them full, some empty, some the last of a sequence."""
        for _ in range(count):
            yield from self.events(self.chance.choice([1.0, 0.5, 0.2, 0.0]))
            yield "end", self.chance.random() < 0.1


def _queues(steps: _Steps) -> Iterator[Action]:
    """The receiver stops until every queue on the way is full."""
    yield "part", "full queues"
    p = steps.image.params
    for rate in (1.0, 0.5):
        yield "shut", 400 + 2 * p.slots + 2 * p.inputs
        for _ in range(steps.count(5, 2)):
            yield from steps.events(rate)
            yield "end", False
        yield ("report",)
        yield ("wait",)
        yield ("reported",)
    yield ("counters",)
    for _ in range(steps.count(6, 1)):
        # Nothing is taken until the words of a step fill the output and a report waits behind them.
        yield "shut", 2 * steps.full
        yield from steps.events(1.0)
        yield "end", False
        yield "idle", steps.full + steps.chance.randrange(40)
        yield ("report",)
        yield ("wait",)
        yield ("reported",)
    yield ("counters",)


def _reads(steps: _Steps) -> Iterator[Action]:
    """Read state words between the events of a step, and behind one."""
    yield "part", "reads"
    for whats in ("vu", "rv", "ur")[: steps.count(3, 1)]:
        events = steps.events(0.7)
        half = len(events) // 2
        yield from events[:half]
        yield "read", whats[0]
        yield from events[half:]
        yield "read", whats[1]
        yield "end", False
    for what in readable(steps.image.params):
        yield "read", what
    yield ("counters",)
    for _ in range(2):  # the second is asked for while the first is under way
        yield ("report",)
    yield ("wait",)


def _resets(steps: _Steps) -> Iterator[Action]:
    """Reset in the middle: inputs sent, a sweep under way, queues full."""
    yield "part", "resets"
    for cycles, shut in ((1, 150), (16, 0), (2, 0), (1, 0), (3, 300))[: steps.count(5, 2)]:
        if shut:
            yield "shut", shut
        for _ in range(steps.count(2, 1)):
            yield from steps.events(0.8)
            yield "end", False
        yield from steps.events(0.8)
        yield "idle", steps.chance.randrange(1, 60 + shut)
        yield "reset", cycles
        yield from steps.several(steps.count(2, 1))
        yield ("counters",)


def _loads(steps: _Steps, other: Image, longest: int) -> Iterator[Action]:
    """Load another network when idle, and the first one again while words of steps wait."""
    first = steps.image
    yield "part", "loads"
    yield "load", difference(first, first), first
    yield from steps.several(steps.count(2, 1))
    yield ("counters",)
    # A block that is cut or prolonged would take what follows for something else.
    yield "load", nowhere(first, steps.chance, longest) + difference(first, other), other
    yield from steps.several(steps.count(3, 1))
    yield "read", "v"
    yield ("counters",)
    yield "shut", 300
    for _ in range(steps.count(2, 1)):
        yield from steps.events(0.8)
        yield "end", False
    yield from steps.events(0.8)
    again = moved(first) if len(load_bytes(first)) < _LONG else difference(other, first)
    yield "load", again, first
    yield ("drain",)
    yield from steps.several(steps.count(3, 2))
    yield ("counters",)


def altered(image: Image, seed: int) -> Image:
    """``image`` with other weights, fewer synapses, other thresholds and leaks: a few of each.

    Where rows share words, all weights of a value change, and no synapse goes: they share them yet.
    """
    rng = np.random.default_rng(seed)
    p, weight = image.params, image.weight.copy()
    some = rng.random(weight.size) < 8 * p.lanes / max(weight.size, 1)
    if p.shared_rows:
        some = np.isin(weight, weight[some])
    weight = np.where(some & (weight != -(1 << (p.weight_bits - 1))), -weight, weight)
    source = np.repeat(np.arange(image.row_start.size - 1), np.diff(image.row_start))
    # Of the last row of the wire that has synapses only, so that no other segment moves.
    wire = np.concatenate([np.arange(p.inputs), image.source_of_neuron()])
    wire = np.concatenate([k * p.sources + wire for k in range(len(p.waits))])[source]
    kept = (wire != wire.max(initial=-1)) | (rng.random(source.size) < 0.5) | p.shared_rows
    row_start = np.searchsorted(source[kept], np.arange(image.row_start.size))
    neurons = image.neurons
    some = rng.random(p.neurons) < 4 * p.lanes / p.neurons
    threshold = np.where(some, neurons.threshold // 2 + 1, neurons.threshold)
    beta = np.where(some, neurons.beta // 2, neurons.beta)
    return replace(
        image,
        weight=weight[kept],
        target=image.target[kept],
        row_start=row_start,
        neurons=replace(neurons, threshold=threshold, beta=beta),
    )


def nowhere(image: Image, chance: random.Random, longest: int) -> bytes:
    """Blocks for PEs that the machine does not have: their words must be written nowhere.

    Most numbers differ from PE 0's in one bit only. ``longest``: words of the first block; the
    others have 20.
    """
    lanes, blocks = image.params.lanes, []
    shapes = [shape for shape in memory_shapes(image.params) if shape.content]
    near = [1 << bit for bit in range(8) if 1 << bit > lanes]
    for k, (pe, shape) in enumerate(zip((lanes, *near, 255), cycle(shapes), strict=False)):
        count = 20 if k else longest
        blocks.append(block_header(pe, shape, 0, count))
        blocks.append(chance.randbytes(count * -(-shape.width // 8)))
    return b"".join(blocks)


def moved(image: Image) -> bytes:
    """Load blocks for all of ``image``, its synapses at the end of what their memories hold."""
    p, blocks = image.params, []
    used = {"pointers": p.pointer_words, "neurons": p.slots + len(read_words(p))}
    shapes = [shape for shape in memory_shapes(p) if shape.content]
    start = (1 << bits_for(p.synapse_words)) - 1
    for lane, words in enumerate(contents(image)):
        count = int(image.words_per_lane()[lane])
        by = p.synapse_words - count
        by -= by % max(block_unit(shape) for shape in shapes)
        for shape in shapes:
            first = by if shape.name == "synapses" else 0
            own = words[shape.name][: used.get(shape.name, count)]
            if shape.name == "pointers":  # `start` is the lowest field; an empty group has none
                own = [w + by if w & ~start else w for w in own]
            if own:
                blocks.append(block_header(lane, shape, first, len(own)))
                blocks += [w.to_bytes(-(-shape.width // 8), "little") for w in own]
    return b"".join(blocks)


def difference(before: Image, after: Image) -> bytes:
    """Load blocks that turn a machine of one image into one of the other; never empty.

    Each PE gets a block, so that each is restarted by words of its own.
    """
    shapes = [shape for shape in memory_shapes(after.params) if shape.content]
    blocks = []
    for lane, (old, new) in enumerate(zip(contents(before), contents(after), strict=True)):
        for shape in shapes:
            words = new[shape.name]
            pairs = zip(old[shape.name], words, strict=True)
            places = [k for k, (a, b) in enumerate(pairs) if a != b] or [0]
            size, unit = -(-shape.width // 8), block_unit(shape)
            for first, count in _runs(places, 6 // size + unit):
                count, first = count + first % unit, first - first % unit
                blocks.append(block_header(lane, shape, first, count))
                blocks += [w.to_bytes(size, "little") for w in words[first : first + count]]
    return b"".join(blocks)


def _runs(places: list[int], near: int) -> Iterator[tuple[int, int]]:
    """(first, count) of runs of ascending addresses; those less than ``near`` apart are one."""
    first = last = places[0]
    for place in places[1:]:
        if place - last > near:
            yield first, last + 1 - first
            first = place
        last = place
    yield first, last + 1 - first
