import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triodia_hw.contract import MachineParams
from triodia_hw.gateware.shapes import struct
from triodia_hw.layout import (
    INPUT_KINDS,
    OUTPUT_KINDS,
    input_fields,
    neuron_fields,
    output_fields,
    pack,
    pointer_fields,
    row_depth,
    state_fields,
    synapse_fields,
    unpack,
    width_of,
)

FIELDS = (pointer_fields, synapse_fields, neuron_fields, state_fields, input_fields, output_fields)
SMALL = MachineParams(inputs=1, neurons=1, lanes=1, payload_bits=1, synapse_words=1)
LARGE = MachineParams(
    inputs=700,
    neurons=100,
    lanes=3,
    weight_bits=5,
    payload_bits=9,
    state_bits=20,
    leak_bits=12,
    synaptic=True,
    reset="value",
    bias_bits=7,
    refractory_bits=4,
    synapse_words=1025,
)
# name: (small, large) widths, lowest bits first
WIDTHS = {
    pointer_fields: ({"start": 1, "length": 1}, {"start": 11, "length": 6}),
    synapse_fields: ({"weight": 8, "target": 1}, {"weight": 5, "target": 6}),
    neuron_fields: (
        {"threshold": 18, "beta": 11, "spiking": 1, "readout": 1},
        {"threshold": 20, "beta": 13, "alpha": 13, "reset_value": 20, "refractory": 4, "bias": 7}
        | {"spiking": 1, "readout": 1},
    ),
    state_fields: ({"v": 18}, {"v": 20, "u": 20, "r": 4}),
    input_fields: (
        {"kind": 1, "last": 1, "source": 1, "payload": 1},
        {"kind": 1, "last": 1, "source": 10, "payload": 9},
    ),
    output_fields: (
        {"kind": 2, "last": 1, "source": 1, "value": 18},
        {"kind": 2, "last": 1, "source": 10, "value": 20},
    ),
}
SIGNED = {"weight", "threshold", "reset_value", "bias", "v", "u", "value"}


def span(width, signed):
    low = -(1 << (width - 1)) if signed else 0
    return low, low + (1 << width) - 1


@st.composite
def words(draw):
    """A list of fields, and values that fit."""
    kinds = draw(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=7))
    fields = [(f"f{k}", width, signed) for k, (width, signed) in enumerate(kinds)]
    ends = [span(width, signed) for _, width, signed in fields]
    values = [draw(st.sampled_from(end) | st.integers(*end)) for end in ends]
    return fields, dict(zip((name for name, *_ in fields), values, strict=True))


@settings(derandomize=True, deadline=None)
@given(words())
def test_round_trip(case):
    fields, values = case
    word = pack(fields, values)
    assert 0 <= word < 1 << width_of(fields)
    assert unpack(fields, word) == values
    assert struct(fields).const(values).as_bits() == word


@settings(derandomize=True, deadline=None)
@given(words(), st.data())
def test_every_word_is_packed_fields(case, data):
    fields, _ = case
    word = data.draw(st.integers(0, (1 << width_of(fields)) - 1))
    assert pack(fields, unpack(fields, word)) == word


@settings(derandomize=True, deadline=None)
@given(words(), st.data())
def test_overflow_is_refused(case, data):
    fields, values = case
    name, width, signed = data.draw(st.sampled_from(fields))
    low, high = span(width, signed)
    value = data.draw(st.sampled_from([low - 1, high + 1, low - (1 << width), high + (1 << width)]))
    with pytest.raises(OverflowError, match=rf"^{name} = {value} does not fit in {width} bits$"):
        pack(fields, values | {name: value})


@pytest.mark.parametrize("fields", FIELDS)
def test_widths(fields):
    for p, want in zip((SMALL, LARGE), WIDTHS[fields], strict=True):
        assert {name: width for name, width, _ in fields(p)} == want
        assert [name for name, *_ in fields(p)] == list(want)  # the order is the bit order
        assert width_of(fields(p)) == sum(want.values())
        signed = {name for name, _, is_signed in fields(p) if is_signed}
        assert signed == (SIGNED & set(want)) | ({"payload"} & set(want) if p.graded else set())


def test_kinds_fit_their_fields():
    for kinds, fields in ((INPUT_KINDS, input_fields), (OUTPUT_KINDS, output_fields)):
        name, width, signed = fields(SMALL)[0]
        assert (name, signed) == ("kind", False)
        assert sorted(kinds.values()) == list(range(len(kinds)))
        assert len(kinds) <= 1 << width


def test_row_depth_is_whole_blocks():
    words = (0, 1, 511, 512, 513, 1024, 1025)
    assert [row_depth(count) for count in words] == [512, 512, 512, 512, 1024, 1024, 1536]
