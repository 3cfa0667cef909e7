from dataclasses import replace

import numpy as np
import pytest

from tests.support.networks import random_image
from triodia_hw.compile.build import build_image
from triodia_hw.compile.storage import fit_storage
from triodia_hw.errors import ContractError
from triodia_hw.machine.image import Image, accumulator_bound
from triodia_hw.machine.neuron import NeuronParams
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.reference import Reference


def tiny(**changes):
    """Two inputs, three neurons on two PEs, four synapses, all spelled out."""
    zeros = np.zeros(3, np.int64)
    names = ("beta", "alpha", "reset_value", "refractory", "bias")
    parts = {
        "params": MachineParams(
            inputs=2, neurons=3, lanes=2, payload_bits=4, fraction_bits=2, accumulator_bits=8
        ),
        "neurons": NeuronParams(
            **dict.fromkeys(names, zeros),
            threshold=zeros + 1,
            spiking=np.array([True, True, False]),
            readout=np.array([False, False, True]),
        ),
        "row_start": np.array([0, 2, 3, 4, 4, 4]),
        "target": np.array([0, 2, 1, 2]),
        "weight": np.array([5, -6, 7, 1]),
        "slot": np.array([0, 2, 3]),
    }
    return Image(**parts | changes)


def test_tiny_is_valid():
    image = tiny()
    assert image.synapses == 4
    assert image.readouts.tolist() == [2]
    assert image.words_per_lane().tolist() == [1, 3]
    assert image.source_of_neuron().tolist() == [2, 4, 5]


REFUSED = [
    ({"weight": [5, 0, 7, 1]}, r"^weight must be in -128\.\.127 and not 0$"),
    ({"weight": [5, 128, 7, 1]}, r"^weight must be in -128\.\.127 and not 0$"),
    ({"weight": [5, -129, 7, 1]}, r"^weight must be in -128\.\.127 and not 0$"),
    ({"weight": [5, 6, 7]}, r"^weight and target must be lists of the same length$"),
    ({"target": [0, 0, 1, 2]}, r"^targets must ascend within a row$"),
    ({"target": [2, 0, 1, 2]}, r"^targets must ascend within a row$"),
    ({"target": [0, 3, 1, 2]}, r"^target must be in 0\.\.2$"),
    ({"target": [-1, 2, 1, 2]}, r"^target must be in 0\.\.2$"),
    (
        {"target": [[0], [2], [1], [2]], "weight": [[5], [6], [7], [1]]},
        r"^weight and target must be lists of the same length$",
    ),
    ({"row_start": [0, 2, 3, 4]}, r"^row_start must have 6 entries, from 0$"),
    (
        {"row_start": [1, 2, 3, 4, 4, 4]},
        r"^row_start must have 6 entries, from 0$",
    ),
    ({"row_start": [0, 2, 3, 4, 4, 5]}, r"^row_start must ascend to the number of synapses$"),
    ({"row_start": [0, 2, 1, 4, 4, 4]}, r"^row_start must ascend to the number of synapses$"),
    ({"slot": [0, 2, 2]}, r"^slot must give every neuron a place of its own$"),
    ({"slot": [0, 2]}, r"^slot must give every neuron a place of its own$"),
    ({"slot": [0, 2, 4]}, r"^slot must be in 0\.\.3$"),
    ({"slot": [0, 2, -1]}, r"^slot must be in 0\.\.3$"),
]


@pytest.mark.parametrize(("changes", "text"), REFUSED, ids=str)
def test_invalid_contents_are_refused(changes, text):
    with pytest.raises(ContractError, match=text):
        tiny(**{name: np.array(values) for name, values in changes.items()})


def test_invalid_neuron_is_refused():
    neurons = replace(tiny().neurons, threshold=np.array([1, 0, 1]))
    text = r"^threshold of neuron 1 must be in 1\.\.131071, not 0$"
    with pytest.raises(ContractError, match=text):
        tiny(neurons=neurons)


def test_narrow_accumulator_is_refused():
    # Into neuron 1: 7 * 8 = 56. Into neuron 2: 6 * 8 + 1 * 4 = 52. So 7 bits, -64..63, do.
    p = tiny().params
    assert tiny(params=replace(p, accumulator_bits=7)).synapses == 4
    text = r"^accumulator_bits must hold the worst-case sum 56, not 6$"
    with pytest.raises(ContractError, match=text):
        tiny(params=replace(p, accumulator_bits=6))


def test_few_synapse_words_are_refused():
    p = tiny().params
    assert tiny(params=replace(p, synapse_words=3)).synapses == 4
    with pytest.raises(ContractError, match=r"^synapse_words must hold 3, not 2$"):
        tiny(params=replace(p, synapse_words=2))


def test_fillers_are_counted():
    """A row of 8 slots with targets 0 and 7: a gap of 6 is 3 fillers of 2 slots and none left."""
    p = replace(tiny().params, neurons=8, lanes=1, gap_bits=1, synapse_words=5, row_words=5)
    n = random_image(1, lanes=1, neurons=8, inputs=2, payload_bits=4, fraction_bits=2).neurons
    parts = {"row_start": np.array([0, 2, *[2] * 9]), "slot": np.arange(8)}
    parts |= {"target": np.array([0, 7]), "weight": np.array([1, 1])}
    image = tiny(params=p, neurons=n, **parts)
    assert image.segment_words().tolist() == [[5], *[[0]] * 9]
    assert image.words_per_lane().tolist() == [5]
    for name in ("synapse_words", "row_words"):
        with pytest.raises(ContractError, match=rf"^{name} must hold 5, not 4$"):
            tiny(params=replace(p, **{name: 4}), neurons=n, **parts)
    assert tiny(params=replace(p, gap_bits=14), neurons=n, **parts).words_per_lane() == [2]


def test_row_words_are_those_of_a_pe():
    """Rows may be longer than row_words, where PEs share them; no PE's segment may."""
    p = replace(tiny().params, row_words=1)
    assert tiny(params=p).segment_words().max() == 1
    text = r"^row_words must hold 2, not 1$"
    with pytest.raises(ContractError, match=text):
        tiny(params=p, slot=np.array([2, 0, 3]))


def worst_case(seed, **case):
    """Network whose neurons all fire in step 0, and whose worst case is a sum in step 1."""
    p = MachineParams(inputs=4, neurons=6, lanes=2, bias_bits=3, **case)
    rng = np.random.default_rng(seed)
    limit = 1 << (p.weight_bits - 1)
    weights = rng.integers(1, limit, (6, 10)) * (rng.random((6, 10)) < 0.6)
    if p.graded:
        weights[:, :4] *= -1  # the greatest payload is negative
    ones = np.ones(6, np.int64)
    zeros = np.zeros_like(ones)
    n = NeuronParams(
        threshold=ones,
        beta=zeros,
        alpha=zeros,
        reset_value=zeros,
        refractory=zeros,
        bias=ones,
        spiking=ones > 0,
        readout=ones < 0,
    )
    return build_image(p, n, weights)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "case", [{}, {"payload_bits": 1}, {"payload_bits": 3, "fraction_bits": 7}, {"weight_bits": 2}]
)
def test_accumulator_bound_is_reached(case, seed):
    image = worst_case(seed, **case, state_bits=24)
    p = image.params
    bound = accumulator_bound(p, image.row_start, image.target, image.weight)
    reference = Reference(image)
    assert len(reference.step([]).spikes) == p.neurons  # of the bias alone
    greatest = -p.greatest_payload if p.graded else 1
    state = reference.step([(channel, greatest) for channel in range(p.inputs)]).state
    assert (state.v + image.neurons.threshold - image.neurons.bias).max() == bound
    limit = 1 << (p.accumulator_bits - 1)
    assert limit // 2 <= bound < limit  # not a bit more than it takes


def test_bound_of_no_synapses():
    image = random_image(1, lanes=2, density=0.0)
    assert image.synapses == 0
    assert (image.params.accumulator_bits, image.params.synapse_words) == (2, 1)


def params_of(p):
    """Without what the storage decides."""
    return replace(p, synapse_words=1, gap_bits=14, row_words=1 << 14, rows_per_pointer=1)


@pytest.mark.parametrize("lanes", [1, 3, 16, 32])
def test_build_image_keeps_the_network(lanes):
    rng = np.random.default_rng(7)
    weights = rng.integers(-128, 128, (3, 5)) * (rng.random((3, 5)) < 0.7)
    params = replace(tiny().params, lanes=lanes, accumulator_bits=40, synapse_words=1 << 20)
    image = build_image(params, tiny().neurons, weights, meta={"task": "x"})
    rebuilt = np.zeros_like(weights)
    for source in range(5):
        row = slice(image.row_start[source], image.row_start[source + 1])
        rebuilt[image.target[row], source] = image.weight[row]
    assert rebuilt.tolist() == weights.tolist()
    p = image.params
    assert p.synapse_words == image.words_per_lane().max()
    assert p.row_words == image.segment_words().max()
    assert p == fit_storage(params_of(p), image.row_start, image.slot[image.target])
    assert image.meta == {"task": "x"}


def test_build_image_refuses():
    p, n = tiny().params, tiny().neurons
    with pytest.raises(ContractError, match=r"^weights must be integers, not float64$"):
        build_image(p, n, np.zeros((3, 5)))
    with pytest.raises(ContractError, match=r"^weights must be 3 x 5, not \(5, 3\)$"):
        build_image(p, n, np.zeros((5, 3), int))


def test_digest_tells_machines_apart():
    changes = [
        {},
        {"weight": np.array([5, -6, 7, 2])},
        {"slot": np.array([1, 2, 3])},
        {"target": np.array([1, 2, 1, 2])},
        {"params": replace(tiny().params, synapse_words=4)},
        {"neurons": replace(tiny().neurons, threshold=np.array([1, 2, 1]))},
    ]
    assert len({tiny(**change).digest() for change in changes}) == len(changes)
    assert tiny(meta={"note": 1}).digest() == tiny().digest()
