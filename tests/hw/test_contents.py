import itertools
from dataclasses import replace

import numpy as np
import pytest

from tests.support.networks import random_image
from triodia_hw.compile.contents import accumulator_width, contents, memory_shapes, read_words
from triodia_hw.compile.options import Options
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.neuron import NEURON, NeuronParams, State
from triodia_hw.machine.params import MachineParams, bits_for
from triodia_hw.machine.words import neuron_fields, pointer_fields, synapse_fields, unpack

CASES = [
    {"lanes": 1},
    {"lanes": 4, "neurons": 13, "refractory_bits": 3, "reset": "value"},
    {"lanes": 3, "synaptic": True, "bias_bits": 8, "weight_bits": 3},
    {"lanes": 5, "neurons": 3, "readouts": 1},
    {"lanes": 2, "neurons": 40, "density": 0.9, "inputs": 30},
    {"lanes": 2, "density": 0.0},
    {"lanes": 2, "neurons": 40, "storage": {"gap_bits": 1, "rows_per_pointer": 4}},
    {"lanes": 3, "neurons": 31, "storage": {"gap_bits": 2, "rows_per_pointer": 8}},
    {"lanes": 2, "neurons": 40, "shared_rows": True},
    {"lanes": 1, "neurons": 33, "inputs": 20, "shared_rows": True, "storage": {"gap_bits": 1}},
]


@pytest.fixture(params=CASES, ids=str)
def image(request):
    return random_image(4, **request.param)


def rows_of(p, words):
    """``(source, start, length, base)`` of every row of a PE, as the hardware finds them."""
    for word, first in zip(
        words["pointers"], range(0, p.sources, p.rows_per_pointer), strict=False
    ):
        pointer = unpack(pointer_fields(p), word)
        start = pointer["start"]
        for k in range(p.rows_per_pointer):
            length = pointer[f"length_{k}"]
            yield first + k, start, length, pointer.get("base", -1)
            start += length


def decoded_synapses(image):
    """``{(source, target): weight}`` by walking the words as the hardware does."""
    p, found = image.params, {}
    neuron_at = {slot: i for i, slot in enumerate(image.slot.tolist())}
    for lane, words in enumerate(contents(image)):
        for address, start, length, base in rows_of(p, words):
            source, slot = address, base
            if address >= p.inputs and length:
                source = p.inputs + neuron_at[address - p.inputs]
            for k in range(start, start + length):
                synapse = unpack(synapse_fields(p), words["synapses"][k])
                slot = (slot + synapse["gap"] + 1) % (1 << bits_for(p.slots))
                if synapse["weight"]:
                    key = source, neuron_at[lane * p.slots + slot]
                    assert key not in found
                    found[key] = synapse["weight"]
    return found


def test_words_decode_to_the_synapses(image):
    want = {}
    for source in range(image.row_start.size - 1):
        for k in range(image.row_start[source], image.row_start[source + 1]):
            want[source, int(image.target[k])] = int(image.weight[k])
    assert decoded_synapses(image) == want


def test_words_decode_to_the_neurons(image):
    p, words = image.params, contents(image)
    used = set(image.slot.tolist())
    for i, slot in enumerate(image.slot.tolist()):
        values = unpack(neuron_fields(p), words[slot // p.slots]["neurons"][slot % p.slots])
        assert values == {name: getattr(image.neurons, name)[i] for name in values}
    for slot in set(range(p.lanes * p.slots)) - used:
        assert words[slot // p.slots]["neurons"][slot % p.slots] == 0


def test_words_are_stored_once_and_in_order(image):
    p = image.params
    for lane, words in enumerate(contents(image)):
        rows = [(start, length) for _, start, length, _ in rows_of(p, words) if length]
        if p.shared_rows:  # each place once
            assert len(rows) > 1.2 * len({start for start, _ in rows})
            rows = [*dict.fromkeys(rows)]
        ends = [0, *itertools.accumulate(length for _, length in rows)]
        assert [start for start, _ in rows] == ends[:-1]
        assert ends[-1] == image.words_per_lane()[lane]


def test_padding(image):
    p = image.params
    used = {"pointers": p.pointer_words, "synapses": p.synapse_words, "neurons": p.slots + 3}
    for words in contents(image):
        for shape in memory_shapes(p):
            if shape.content:
                assert len(words[shape.name]) == shape.depth
                assert shape.depth % 256 == 0
                assert shape.depth - 256 < used[shape.name] <= shape.depth
                assert not any(words[shape.name][used[shape.name] :])
                assert all(0 <= word < 1 << shape.width for word in words[shape.name])


def test_blocks_of_a_machine():
    p = MachineParams(
        inputs=100, neurons=600, lanes=2, accumulator_bits=20, synapse_words=3000, leak_bits=10
    )
    # A PE: 100 + 600 pointers of 12 + 9 bits in 768 words; 3072 synapses of 8 + 9 bits;
    # 512 neurons of 18 + 11 + 2 bits; 300 states of 18 bits; twice 300 sums of 20 bits.
    # By hand, from the shapes 512 x 36, 1024 x 18, 2048 x 9:
    assert [(s.width, s.depth) for s in memory_shapes(p)] == [
        (21, 768),
        (17, 3072),
        (31, 512),
        (18, 300),
        (20, 300),
        (20, 300),
    ]
    assert block_rams(p) == 2 * (2 + 3 + 1 + 1 + 1 + 1)
    assert block_rams(p, Options(distributed=("state",))) == 2 * (2 + 3 + 1 + 1 + 1)
    assert block_rams(p, Options(distributed=("sums_0", "sums_1"))) == 2 * (2 + 3 + 1 + 1)
    # Gaps of 5 bits and 4 rows a pointer of at most 30 words: 175 pointers of 12 + 4 * 5 bits;
    # 3072 synapses of 13 bits, a column of 9 bits in 2 blocks and one of 4 in 1.
    q = replace(p, gap_bits=5, row_words=30, rows_per_pointer=4)
    assert [(s.width, s.depth) for s in memory_shapes(q)][:2] == [(32, 256), (13, 3072)]
    assert block_rams(q) == 2 * (1 + 3 + 1 + 1 + 1 + 1)


def test_neuron_memory_holds_the_words_for_reading():
    sizes = {"inputs": 1, "lanes": 1}
    depths = [memory_shapes(MachineParams(**sizes, neurons=n))[2].depth for n in (509, 510)]
    assert depths == [512, 768]


def test_content_memories():
    shapes = memory_shapes(MachineParams(inputs=1, neurons=1, lanes=1))
    assert [s.name for s in shapes if s.content] == ["pointers", "synapses", "neurons"]


def test_cut(image):
    """Columns of a memory, put together again, are its words; a working memory has none."""
    words = contents(image)[0]
    for shape in memory_shapes(image.params):
        parts, offset = list(shape.cut(words)), 0
        if not shape.content:
            assert parts == []
            continue
        assert tuple(width for width, _ in parts) == shape.columns()
        whole = [0] * shape.depth
        for width, part in parts:
            assert all(0 <= word < 1 << width for word in part)
            whole = [a | b << offset for a, b in zip(whole, part, strict=True)]
            offset += width
        assert whole == words[shape.name]


def test_read_words_show_the_state(image):
    """By the contract, an update with a read word yields v, u or r of any state, and no spike."""
    p, rng = image.params, np.random.default_rng(1)
    low, high = p.state_range
    v = rng.integers(low, high + 1, 50)
    u = rng.integers(low, high + 1, 50) if p.synaptic else v * 0
    for what, word in zip("vu", read_words(p), strict=False):
        values = unpack(neuron_fields(p), word)
        names = ("threshold", "beta", "alpha", "reset_value", "refractory", "bias", "rho", "jump")
        columns = {name: np.full(50, values.get(name, 0)) for name in names}
        flags = {name: np.full(50, bool(values[name])) for name in ("spiking", "readout")}
        # What is not read starts from any value, and leaves nothing.
        after, spike = NEURON.step(p, NeuronParams(**columns, **flags), State(v, u, v * 0), v * 0)
        assert after.v.tolist() == (v if what == "v" and not p.synaptic else after.v).tolist()
        assert not spike.any() and flags["readout"].all()
        alone = State(v, u * 0, v * 0) if what == "v" else State(v, u, v * 0)
        shown, _ = NEURON.step(p, NeuronParams(**columns, **flags), alone, v * 0)
        assert shown.v.tolist() == {"v": v, "u": u}[what].tolist()


def test_sums_of_spike_machines_are_narrower():
    sizes = {"inputs": 1, "neurons": 1, "lanes": 1, "accumulator_bits": 20, "fraction_bits": 6}
    assert accumulator_width(MachineParams(**sizes, payload_bits=8)) == 20
    assert accumulator_width(MachineParams(**sizes, payload_bits=1)) == 14
    few = sizes | {"accumulator_bits": 5}
    assert accumulator_width(MachineParams(**few, payload_bits=1)) == 2
