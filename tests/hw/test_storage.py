from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.networks import random_image
from triodia_hw.compile.build import build_image
from triodia_hw.compile.contents import contents
from triodia_hw.compile.storage import block_count, columns, fit_storage, native_bits, stored_bits
from triodia_hw.cost.resources import block_rams
from triodia_hw.errors import ContractError
from triodia_hw.machine.params import MachineParams, bits_for
from triodia_hw.machine.rows import gap_coded, segment_words

TILES = [(36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)]
DEPTHS = (1, 511, 512, 513, 1024, 1025, 1536, 2048, 2049, 4096, 5000, 8192, 16384, 16385)
WIDEST = 40


def fewest(depth):
    """Fewest blocks, then bits, for each width up to WIDEST: all numbers of columns, counted."""
    counts = np.indices([-(-WIDEST // w) + 1 for w, _ in TILES]).reshape(len(TILES), -1)
    width = sum(w * count for (w, _), count in zip(TILES, counts, strict=True))
    blocks = sum(-(-depth // d) * count for (_, d), count in zip(TILES, counts, strict=True))
    best = np.full(width.max() + 1, 10**6)
    np.minimum.at(best, width, 1000 * blocks + width)
    return np.minimum.accumulate(best[::-1])[::-1]  # wider ones do too


@pytest.mark.parametrize("depth", DEPTHS)
def test_columns_by_brute_force(depth):
    """Columns of a whole shape each but for one, which together are the word."""
    best = fewest(depth)
    for width in range(1, WIDEST + 1):
        parts = columns(width, depth)
        assert sum(parts) == width
        shapes = [min((w, d) for w, d in TILES if w >= part) for part in parts]
        blocks = sum(-(-depth // d) for _, d in shapes)
        assert 1000 * blocks + sum(w for w, _ in shapes) == best[width], width
        assert block_count(width, depth) == blocks
        assert native_bits(width, depth) == sum(w for w, _ in shapes)


def test_columns_by_hand():
    assert sorted(columns(13, 4096)) == [4, 9] and block_count(13, 4096) == 3
    assert columns(13, 1024) == (13,) and block_count(13, 1024) == 1
    assert sorted(columns(40, 512)) == [4, 36] and block_count(40, 512) == 2
    assert columns(1, 20_000) == (1,) and block_count(1, 20_000) == 2
    assert (native_bits(13, 4096), native_bits(13, 1024), native_bits(19, 512)) == (13, 18, 36)


def decode(words):
    """Decode gap-coded words to targets and weights, as a walker does."""
    target, result = -1, []
    for gap, weight in words:
        target += gap + 1
        result += [(target, weight)] if weight else []
    return result


@st.composite
def segments(draw):
    slots = draw(st.integers(1, 300))
    targets = sorted(draw(st.sets(st.integers(0, slots - 1), max_size=20)))
    weights = st.integers(-128, 127).filter(bool)
    return slots, [(target, draw(weights)) for target in targets]


@settings(derandomize=True, deadline=None)
@given(segments(), st.integers(1, 9))
def test_gap_coding_round_trip(case, gap_bits):
    slots, segment = case
    words = gap_coded(segment, gap_bits)
    assert decode(words) == segment
    assert all(0 <= gap < 1 << gap_bits for gap, _ in words)
    assert len(words) <= slots  # each word goes on by one at least
    assert words == [] or words[-1][1] != 0  # a filler leads to something
    wide = gap_coded(segment, 9)
    assert len(wide) == len(segment)  # no filler where a gap holds any slot


def test_gap_coding_by_hand():
    assert gap_coded([(0, 5), (1, 6), (9, 7)], 2) == [(0, 5), (0, 6), (3, 0), (3, 7)]
    assert gap_coded([(4, -1)], 2) == [(3, 0), (0, -1)]
    assert gap_coded([(3, -1)], 2) == [(3, -1)]
    assert gap_coded([], 2) == []


def random_rows(draw):
    """``row_start`` and the slots of targets of a small random network."""
    sources, lanes, slots = (
        draw(st.integers(1, 6)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 9)),
    )
    rows = [
        draw(st.permutations(sorted(draw(st.sets(st.integers(0, lanes * slots - 1))))))
        for _ in range(sources)
    ]
    return lanes, slots, rows


@settings(derandomize=True, deadline=None)
@given(st.data(), st.integers(1, 5))
def test_segment_words_are_as_many_as_coded(data, gap_bits):
    """Targets of a row in any order of slots, as a placer leaves them."""
    lanes, slots, rows = random_rows(data.draw)
    p = MachineParams(inputs=1, neurons=lanes * slots, lanes=lanes, gap_bits=gap_bits)
    assert p.slots == slots
    row_start = np.cumsum([0, *map(len, rows)])
    got = segment_words(p, row_start, np.array([slot for row in rows for slot in row], int))
    for source, row in enumerate(rows):
        for lane in range(lanes):
            here = sorted((slot % slots, 1) for slot in row if slot // slots == lane)
            assert got[source, lane] == len(gap_coded(here, p.gap_width))


@pytest.mark.parametrize("gap_bits", [1, 2, 14])
@pytest.mark.parametrize("rows_per_pointer", [1, 4])
def test_segment_words_are_those_of_the_contents(gap_bits, rows_per_pointer):
    """Counted in the memories of an image: behind the last word there are zeros only."""
    image = random_image(2, lanes=3, neurons=40, density=0.15)
    p = replace(
        image.params,
        gap_bits=gap_bits,
        rows_per_pointer=rows_per_pointer,
        synapse_words=900,
        row_words=99,
    )
    image = replace(image, params=p)
    used = [max(k for k, word in enumerate(c["synapses"]) if word) + 1 for c in contents(image)]
    assert image.words_per_lane().tolist() == used


FITS = [
    {"lanes": 1, "neurons": 60, "density": 0.05},
    {"lanes": 2, "neurons": 200, "density": 0.02, "inputs": 300},
    {"lanes": 4, "neurons": 150, "density": 0.3},
    {"lanes": 2, "neurons": 6, "density": 0.0},
    {"lanes": 1, "neurons": 1, "readouts": 0, "inputs": 1, "density": 1.0},
    {"lanes": 3, "neurons": 120, "density": 1.0, "weight_bits": 4},
    {"lanes": 1, "neurons": 90, "inputs": 1500, "density": 0.01},
]


def words_of(image, gap_bits):
    """Words of each row in each PE, counted target by target: one each, and fillers on the way."""
    p, words = image.params, np.zeros((image.row_start.size - 1, image.params.lanes), int)
    for source, first in enumerate(image.row_start[:-1]):
        slots = sorted(image.slot[image.target[first : image.row_start[source + 1]]])
        before = dict.fromkeys(range(p.lanes), -1)
        for slot in slots:
            lane, place = divmod(int(slot), p.slots)
            words[source, lane] += 1 + (place - before[lane] - 1) // 2**gap_bits
            before[lane] = place
    return words


def choices(image):
    """Every possible storage, and its number of words."""
    p = image.params
    for gap_bits, group in product(range(1, bits_for(p.slots) + 1), (1, 2, 4)):
        words = words_of(image, gap_bits)
        room = {"synapse_words": int(words.sum(axis=0).max()), "row_words": int(words.max())}
        room = {name: max(1, value) for name, value in room.items()}
        yield replace(p, gap_bits=gap_bits, rows_per_pointer=group, **room), words


@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("case", FITS, ids=str)
def test_fit_storage_takes_the_least(case, tight):
    """Fewest blocks, then words (or bits), so never more blocks than absolute slots take.

    Unless ``tight``, among storages with at most 5 % more words than the least.
    """
    image = random_image(5, **case)
    slots = image.slot[image.target]
    best = fit_storage(image.params, image.row_start, slots, tight=tight)
    cost, least = {}, min(words.sum(axis=0).max() for _, words in choices(image))
    for q, words in choices(image):
        walked = words.sum(axis=0).max()
        if not tight and walked > 1.05 * least:
            continue
        bits = stored_bits(q, words)
        cost[q] = (block_rams(q), bits, walked) if tight else (block_rams(q), walked)
        assert replace(image, params=q).synapses == image.synapses  # holds the network
    assert cost[best] == min(cost.values())
    # The greatest gap holds any slot: with a row a pointer, this is absolute coding.
    absolute = max((q for q in cost if q.rows_per_pointer == 1), key=lambda q: q.gap_bits)
    assert absolute.gap_width == bits_for(absolute.slots)
    assert absolute.synapse_words == max(1, np.bincount(slots // absolute.slots).max(initial=0))
    assert block_rams(best) <= block_rams(absolute)


def test_fillers_must_not_cost_cycles():
    """A case where gaps of 1 bit would save blocks but take half as many words more."""
    image = random_image(5, neurons=140, inputs=12, density=0.5, lanes=8)
    slots = image.slot[image.target]
    p = image.params
    tight = fit_storage(p, image.row_start, slots, tight=True)
    assert block_rams(tight) < block_rams(p)
    assert tight.synapse_words > 1.05 * p.synapse_words
    assert image.segment_words().sum() <= 1.05 * image.synapses


def test_fillers_of_busy_rows_count_more():
    """Sparse input rows in every step, dense rows of neurons that never fire: wide gaps win."""
    rng, p = np.random.default_rng(0), MachineParams(neurons=140, inputs=12, lanes=4)
    weights = rng.integers(1, 50, (140, 152))
    weights[:, :12] *= rng.random((140, 12)) < 0.2
    activity = np.zeros((5, 152))
    activity[:, :12] = 1
    n = random_image(1, neurons=140, inputs=12, lanes=4).neurons
    alike, busy = (build_image(p, n, weights, activity=a) for a in (None, activity))
    assert alike.params.gap_width < busy.params.gap_width
    walked = busy.segment_words()[:12].sum(axis=0)
    assert walked.max() <= 1.06 * (weights[:, :12] != 0).sum() / 4 + 12
    assert alike.segment_words()[:12].sum() > 1.5 * (weights[:, :12] != 0).sum()


def test_build_image_takes_the_fewest_words():
    image = random_image(5, **FITS[1])
    fitted = fit_storage(image.params, image.row_start, image.slot[image.target])
    assert fitted == image.params


def test_stored_bits_by_hand():
    """Two PEs, 4 sources, 2 rows a pointer; 3 words of 4 + 1 bits, in columns of 9."""
    p = MachineParams(
        inputs=2,
        neurons=2,
        lanes=2,
        weight_bits=4,
        gap_bits=1,
        synapse_words=3,
        row_words=2,
        rows_per_pointer=2,
    )
    words = np.array([[1, 0], [0, 0], [0, 1], [1, 0]])
    # Pointers of 2 + 2 * 1 bits in columns of 4.
    assert stored_bits(p, words) == 3 * 9 + 2 * 2 * 4


def test_fit_storage_changes_only_the_storage():
    image = random_image(5, lanes=2, synaptic=True)
    p = replace(image.params, synapse_words=7, gap_bits=3, row_words=2, rows_per_pointer=8)
    fitted = fit_storage(p, image.row_start, image.slot[image.target])
    assert fitted == image.params


def test_storages_that_no_machine_holds_are_passed_over():
    """Of 300 rows with one far target, gaps of few bits take more than 2**20 filler words."""
    p = MachineParams(inputs=300, neurons=16_384, lanes=1)
    row_start = np.minimum(np.arange(300 + p.neurons + 1), 300)
    q = fit_storage(p, row_start, np.full(300, 16_000))
    assert q.synapse_words == 300 and q.gap_bits == 14
    dense = np.arange(1101) * 1000
    slots = np.tile(np.arange(1000), 1100)
    with pytest.raises(
        ContractError, match=r"^synapse_words must be in 1\.\.1048576, not 1100000$"
    ):
        fit_storage(MachineParams(inputs=100, neurons=1000, lanes=1), dense, slots)
