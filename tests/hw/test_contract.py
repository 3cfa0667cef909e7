import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triodia_hw.errors import ContractError
from triodia_hw.machine.neuron import NEURON, NeuronParams, State, decay, saturate
from triodia_hw.machine.params import MachineParams, bits_for

settings.register_profile("contract", derandomize=True, deadline=None, max_examples=200)
settings.load_profile("contract")

RANGES = {
    "inputs": (1, 16384),
    "neurons": (1, 16384),
    "lanes": (1, 32),
    "weight_bits": (2, 16),
    "payload_bits": (1, 12),
    "fraction_bits": (0, 10),
    "state_bits": (4, 24),
    "leak_bits": (1, 16),
    "accumulator_bits": (2, 40),
    "bias_bits": (0, 24),
    "refractory_bits": (0, 8),
    "synapse_words": (1, 1048576),
    "gap_bits": (1, 14),
    "row_words": (1, 16384),
    "rows_per_pointer": (1, 8),
}


def between(low, high):
    """Integers with their ends and the neighbourhood of zero more often."""
    corners = [x for x in (low, low + 1, -1, 0, 1, high - 1, high) if low <= x <= high]
    return st.sampled_from(corners) | st.integers(low, high)


def signed(bits):
    return between(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


@st.composite
def machines(draw):
    state_bits = draw(between(4, 24))
    return MachineParams(
        inputs=1,
        neurons=3,
        lanes=1,
        state_bits=state_bits,
        leak_bits=draw(between(1, 16)),
        accumulator_bits=draw(between(2, 40)),
        synaptic=draw(st.booleans()),
        adaptive=draw(st.booleans()),
        reset=draw(st.sampled_from(["subtract", "value"])),
        fires=draw(st.sampled_from(["at", "above"])),
        bias_bits=draw(between(0, state_bits)),
        refractory_bits=draw(between(0, min(8, state_bits - 1))),
    )


@st.composite
def cases(draw):
    """Machine, one dict of plain integers a neuron: parameters, state and sum."""
    p = draw(machines())
    high, leak = (1 << (p.state_bits - 1)) - 1, between(0, 1 << p.leak_bits)
    state, rest = signed(p.state_bits), between(0, (1 << p.refractory_bits) - 1)
    one = st.fixed_dictionaries({
        "threshold": between(1, high),
        "beta": leak,
        "alpha": leak,
        "reset_value": state,
        "refractory": rest,
        "bias": signed(p.bias_bits) if p.bias_bits else st.just(0),
        "spiking": st.booleans(),
        "v": state,
        "u": state if p.synaptic else st.just(0),
        "r": rest,
        "rho": leak if p.adaptive else st.just(0),
        "jump": between(0, high) if p.adaptive else st.just(0),
        "b": between(0, high) if p.adaptive else st.just(0),
        "a": signed(p.accumulator_bits),
    })
    return p, [draw(one) for _ in range(p.neurons)]


def scalar_decay(x, c, k):
    size = abs(x) * c // 2**k
    return size if x >= 0 else -size


def scalar_saturate(x, bits):
    return min(max(x, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


def scalar_update(p, n):
    """A second model of the contract, for one neuron, without numpy: ``(v, u, r, b, spike)``."""
    u = n["a"]
    if p.synaptic:
        u = scalar_saturate(scalar_decay(n["u"], n["alpha"], p.leak_bits) + n["a"], p.state_bits)
    kept = u if p.synaptic else 0
    b = scalar_decay(n["b"], n["rho"], p.leak_bits)
    if n["r"]:
        return n["v"], kept, n["r"] - 1, b, False
    v = scalar_saturate(scalar_decay(n["v"], n["beta"], p.leak_bits) + u + n["bias"], p.state_bits)
    level = n["threshold"] + b
    below = v < level if p.fires == "at" else v <= level
    if not n["spiking"] or below:
        return v, kept, 0, b, False
    after = v - n["threshold"] if p.reset == "subtract" else n["reset_value"]
    return after, kept, n["refractory"], min(b + n["jump"], 2 ** (p.state_bits - 1) - 1), True


def arrays(neurons):
    """Parameters, state and sums of :func:`update` from a list of dicts."""
    columns = {name: np.array([n[name] for n in neurons]) for name in neurons[0]}
    state = State(*(columns.pop(name).astype(np.int64) for name in "vurb"))
    a = columns.pop("a").astype(np.int64)
    return NeuronParams(**columns, readout=~columns["spiking"]), state, a


@given(cases())
def test_update_equals_the_scalar_model(case):
    p, neurons = case
    n, state, a = arrays(neurons)
    n.check(p)
    after, spike = NEURON.step(p, n, state, a)
    got = list(zip(*(x.tolist() for x in (after.v, after.u, after.r, after.b, spike)), strict=True))
    assert got == [scalar_update(p, neuron) for neuron in neurons]


@given(signed(24), st.integers(1, 16), st.data())
def test_decay_rounds_toward_zero(x, k, data):
    c = data.draw(between(0, 1 << k))
    got = int(decay(x, c, k))
    assert got == scalar_decay(x, c, k)
    assert decay(-x, c, k) == -got
    assert decay(x, 1 << k, k) == x
    assert x == 0 or abs(int(decay(x, (1 << k) - 1, k))) < abs(x)


@given(st.integers(-(1 << 45), 1 << 45), st.integers(2, 40))
def test_saturate_clips(x, bits):
    assert saturate(x, bits) == scalar_saturate(x, bits)


@settings(max_examples=30)
@given(signed(8), signed(8), st.integers(1, 10), st.data())
def test_silent_neuron_reaches_zero(v, u, k, data):
    leak = between(0, (1 << k) - 1)
    kinds = {"synaptic": True, "adaptive": True}
    p = MachineParams(inputs=1, neurons=1, lanes=1, state_bits=8, leak_bits=k, **kinds)
    neuron = {"threshold": 127, "beta": data.draw(leak), "alpha": data.draw(leak), "bias": 0}
    neuron |= {"reset_value": 0, "refractory": 0, "spiking": False, "v": v, "u": u, "r": 0, "a": 0}
    neuron |= {"rho": data.draw(leak), "jump": 0, "b": data.draw(between(0, 127))}
    n, state, a = arrays([neuron])
    for _ in range(128 + 128):  # each step takes at least 1 off |u|, then off |v|
        state, _ = NEURON.step(p, n, state, a)
    assert (int(state.v[0]), int(state.u[0]), int(state.b[0])) == (0, 0, 0)


@given(st.integers(2, 9), st.booleans(), st.sampled_from(["subtract", "value"]), st.data())
def test_scale_invariance(scale, synaptic, reset, data):
    """Where no rounding happens, scaled weights, threshold and reset keep every spike."""
    steps, k = 5, 4
    exact = between(-20, 20).map(lambda x: x << steps)  # can be halved once a step
    leak = st.sampled_from([0, 1 << (k - 1), 1 << k])
    neuron = {"threshold": data.draw(between(1, 20)) << steps, "bias": data.draw(exact)}
    neuron |= {"beta": data.draw(leak), "alpha": data.draw(leak), "reset_value": data.draw(exact)}
    neuron |= {"refractory": data.draw(between(0, 2)), "spiking": True, "v": 0, "u": 0, "r": 0}
    neuron |= {"rho": data.draw(leak), "jump": data.draw(between(0, 20)) << steps, "b": 0}
    inputs = data.draw(st.lists(exact, min_size=steps, max_size=steps))
    kinds = {"synaptic": synaptic, "adaptive": data.draw(st.booleans()), "reset": reset}
    p = MachineParams(inputs=1, neurons=2, lanes=1, state_bits=24, leak_bits=k, **kinds)
    names = ("threshold", "bias", "reset_value", "jump")
    scaled = neuron | {name: scale * neuron[name] for name in names}
    n, state, _ = arrays([neuron | {"a": 0}, scaled | {"a": 0}])
    for a in inputs:
        state, spike = NEURON.step(p, n, state, np.array([a, a * scale]))
        assert spike[0] == spike[1]
        assert state.v[0] * scale == state.v[1]


def params(**changes):
    return MachineParams(**{"inputs": 3, "neurons": 4, "lanes": 2} | changes)


@pytest.mark.parametrize("name", RANGES)
def test_range_of_each_parameter(name):
    least, greatest = RANGES[name]
    room = {"state_bits": 24} if name == "bias_bits" else {}
    assert getattr(params(**room | {name: least}), name) == least
    assert getattr(params(**room | {name: greatest}), name) == greatest
    for value in (least - 1, greatest + 1):
        text = rf"^{name} must be in {least}\.\.{greatest}, not {value}$"
        with pytest.raises(ContractError, match=text):
            params(**{name: value})


@pytest.mark.parametrize("value", ["3", 3.0, True, None, np.int64(3)])
@pytest.mark.parametrize("name", RANGES)
def test_type_of_each_parameter(name, value):
    text = rf"^{name} must be an integer, not {re.escape(repr(value))}$"
    with pytest.raises(ContractError, match=text):
        params(**{name: value})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"synaptic": 1}, r"^synaptic must be true or false, not 1$"),
        ({"adaptive": 0}, r"^adaptive must be true or false, not 0$"),
        ({"delays": 3}, r"^delays must be a list of steps, not 3$"),
        ({"delays": (0, 1)}, r"^delays must be whole steps in 1..63, not 0$"),
        ({"delays": (64,)}, r"^delays must be whole steps in 1..63, not 64$"),
        ({"delays": (1.5,)}, r"^delays must be whole steps in 1..63, not 1.5$"),
        ({"delays": (2, 1)}, r"^delays must ascend, not \[2, 1\]$"),
        ({"fires": "over"}, r'^fires must be "at" or "above", not \'over\'$'),
        ({"reset": "zero"}, r'^reset must be "subtract" or "value", not \'zero\'$'),
        (
            {"bias_bits": 9, "state_bits": 8},
            r"^bias_bits must be at most state_bits \(8\), not 9$",
        ),
        (
            {"refractory_bits": 8, "state_bits": 8},
            r"^refractory_bits must be less than state_bits \(8\), not 8$",
        ),
        ({"rows_per_pointer": 3}, r"^rows_per_pointer must be a power of two, not 3$"),
        ({"rows_per_pointer": 6}, r"^rows_per_pointer must be a power of two, not 6$"),
        ({"shared_rows": 1}, r"^shared_rows must be true or false, not 1$"),
        (
            {"shared_rows": True, "rows_per_pointer": 2},
            r"^shared_rows needs synapses on the chip and rows_per_pointer 1, not external=False a",
        ),
        (
            {"shared_rows": True, "external": True, "lanes": 1},
            r"^shared_rows needs synapses on the chip and rows_per_pointer 1, not external=True an",
        ),
    ],
)
def test_modes(changes, text):
    with pytest.raises(ContractError, match=text):
        params(**changes)


def neuron_params(p, **changes):
    zeros = np.zeros(p.neurons, np.int64)
    names = ("beta", "alpha", "reset_value", "refractory", "bias")
    values = {name: zeros.copy() for name in names} | {"threshold": zeros + 1}
    values |= {"spiking": zeros == 0, "readout": zeros != 0}
    return NeuronParams(**values | changes)


BOUNDS = {
    "threshold": (1, 127),
    "beta": (0, 64),
    "alpha": (0, 64),
    "reset_value": (-128, 127),
    "refractory": (0, 7),
    "bias": (-16, 15),
    "rho": (0, 64),
    "jump": (0, 127),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_range_of_each_neuron_value(name):
    p = params(state_bits=8, leak_bits=6, bias_bits=5, refractory_bits=3, adaptive=True)
    least, greatest = BOUNDS[name]
    for value in (least, greatest):
        neuron_params(p, **{name: np.array([1, 1, value, 1])}).check(p)
    for value in (least - 1, greatest + 1):
        text = rf"^{name} of neuron 2 must be in {least}\.\.{greatest}, not {value}$"
        with pytest.raises(ContractError, match=text):
            neuron_params(p, **{name: np.array([1, 1, value, 1])}).check(p)


def test_absent_fields_must_be_zero():
    p = params()
    for name in ("bias", "refractory", "rho", "jump"):
        text = rf"^{name} of neuron 0 must be in 0\.\.0, not 1$"
        with pytest.raises(ContractError, match=text):
            neuron_params(p, **{name: np.ones(4, np.int64)}).check(p)


def test_shapes_and_roles():
    p = params()
    with pytest.raises(ContractError, match=r"^beta must have 4 values, not shape \(3,\)$"):
        neuron_params(p, beta=np.zeros(3, np.int64)).check(p)
    both = np.array([False, True, False, False])
    text = r"^neuron 1 must not be both spiking and a readout$"
    with pytest.raises(ContractError, match=text):
        neuron_params(p, readout=both).check(p)


@pytest.mark.parametrize(("gap_bits", "neurons", "width"), [(1, 99, 1), (4, 64, 4), (14, 64, 5)])
def test_gap_width(gap_bits, neurons, width):
    """Never more bits than a slot number of 32 slots has."""
    assert params(gap_bits=gap_bits, neurons=neurons).gap_width == width


@pytest.mark.parametrize(("group", "words"), [(1, 13), (2, 7), (4, 4), (8, 2)])
def test_pointer_words(group, words):
    """13 sources in groups; the last one may be short."""
    assert params(inputs=5, neurons=8, lanes=4, rows_per_pointer=group).pointer_words == words


def test_derived_sizes():
    p = params(inputs=5, neurons=7, lanes=3, payload_bits=6, fraction_bits=4, state_bits=5)
    assert (p.slots, p.sources, p.one, p.greatest_payload) == (3, 5 + 9, 16, 32)
    assert p.state_range == (-16, 15)
    assert params(payload_bits=1, fraction_bits=4).greatest_payload == 16
    assert [bits_for(count) for count in (1, 2, 3, 4, 5, 1024, 1025)] == [1, 1, 2, 2, 3, 10, 11]
