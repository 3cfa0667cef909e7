import itertools

import pytest

from tests.networks import random_image
from triodia_hw.contract import MachineParams
from triodia_hw.layout import neuron_fields, pointer_fields, synapse_fields, unpack
from triodia_hw.memory import accumulator_width, contents, ebr_blocks, ecp5_blocks, memory_shapes

CASES = [
    {"lanes": 1},
    {"lanes": 4, "neurons": 13, "refractory_bits": 3, "reset": "value"},
    {"lanes": 3, "synaptic": True, "bias_bits": 8, "weight_bits": 3},
    {"lanes": 5, "neurons": 3, "readouts": 1},
    {"lanes": 2, "neurons": 40, "density": 0.9, "inputs": 30},
    {"lanes": 2, "density": 0.0},
]


@pytest.fixture(params=CASES, ids=str)
def image(request):
    return random_image(4, **request.param)


def decoded_synapses(image):
    """``{(source, target): weight}`` by walking the words as the hardware does."""
    p, found = image.params, {}
    neuron_at = {slot: i for i, slot in enumerate(image.slot.tolist())}
    for lane, words in enumerate(contents(image)):
        for address in range(p.sources):
            pointer = unpack(pointer_fields(p), words["pointers"][address])
            source = address
            if address >= p.inputs and pointer["length"]:
                source = p.inputs + neuron_at[address - p.inputs]
            for k in range(pointer["start"], pointer["start"] + pointer["length"]):
                synapse = unpack(synapse_fields(p), words["synapses"][k])
                key = source, neuron_at[lane * p.slots + synapse["target"]]
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


def test_synapses_are_stored_once_and_in_order(image):
    p = image.params
    for lane, words in enumerate(contents(image)):
        pointers = [unpack(pointer_fields(p), word) for word in words["pointers"]]
        rows = [pointer for pointer in pointers if pointer["length"]]
        ends = [0, *itertools.accumulate(row["length"] for row in rows)]
        assert [row["start"] for row in rows] == ends[:-1]
        assert ends[-1] == image.words_per_lane()[lane]


def test_padding(image):
    p = image.params
    used = {"pointers": p.sources, "synapses": p.synapse_words, "neurons": p.slots}
    for words in contents(image):
        for shape in memory_shapes(p):
            if shape.content:
                assert len(words[shape.name]) == shape.depth
                assert shape.depth % 512 == 0
                assert shape.depth - 512 < used[shape.name] <= shape.depth
                assert not any(words[shape.name][used[shape.name] :])
                assert all(0 <= word < 1 << shape.width for word in words[shape.name])


def fewest(width, depth, tile):
    """Fewest blocks by cutting the memory into tiles of one size, counted one by one."""
    columns = len(range(0, width, tile[0]))
    return sum(columns for _ in range(0, depth, tile[1]))


def test_blocks_by_brute_force():
    tiles = [(36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)]
    for width in (*range(1, 41), 72, 100):
        for depth in (1, 511, 512, 513, 1024, 1536, 2049, 4096, 5000, 16384, 16385):
            want = min(fewest(width, depth, tile) for tile in tiles)
            assert ebr_blocks(width, depth) == want, (width, depth)


def test_blocks_of_a_machine():
    p = MachineParams(
        inputs=100, neurons=600, lanes=2, accumulator_bits=20, synapse_words=3000, leak_bits=10
    )
    # A PE: 100 + 600 pointers of 12 + 9 bits in 1024 words; 3072 synapses of 8 + 9 bits;
    # 512 neurons of 18 + 11 + 2 bits; 300 states of 18 bits; twice 300 sums of 20 bits.
    # By hand, from the shapes 512 x 36, 1024 x 18, 2048 x 9:
    assert [(s.width, s.depth) for s in memory_shapes(p)] == [
        (21, 1024),
        (17, 3072),
        (31, 512),
        (18, 300),
        (20, 300),
        (20, 300),
    ]
    assert ecp5_blocks(p) == 2 * (2 + 3 + 1 + 1 + 1 + 1)
    assert ecp5_blocks(p, block=False) == 2 * (2 + 3 + 1)


def test_sums_of_spike_machines_are_narrower():
    sizes = {"inputs": 1, "neurons": 1, "lanes": 1, "accumulator_bits": 20, "fraction_bits": 6}
    assert accumulator_width(MachineParams(**sizes, payload_bits=8)) == 20
    assert accumulator_width(MachineParams(**sizes, payload_bits=1)) == 14
    few = sizes | {"accumulator_bits": 5}
    assert accumulator_width(MachineParams(**few, payload_bits=1)) == 2
