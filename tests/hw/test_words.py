from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triodia_hw.gateware.shapes import struct
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import (
    COUNTERS,
    INPUT_KINDS,
    MEMORY_NUMBERS,
    OUTPUT_KINDS,
    READ_KINDS,
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
DOC = Path(__file__).resolve().parents[2] / "docs" / "contract.md"
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
    adaptive=True,
    reset="value",
    bias_bits=7,
    refractory_bits=4,
    synapse_words=1025,
    gap_bits=4,
    row_words=20,
    rows_per_pointer=4,
)
# name: (small, large) widths, lowest bits first
WIDTHS = {
    pointer_fields: (
        {"start": 1, "length_0": 1},
        {"start": 11, "length_0": 5, "length_1": 5, "length_2": 5, "length_3": 5},
    ),
    synapse_fields: ({"weight": 8, "gap": 1}, {"weight": 5, "gap": 4}),
    neuron_fields: (
        {"threshold": 18, "beta": 11, "spiking": 1, "readout": 1},
        {"threshold": 20, "beta": 13, "alpha": 13, "rho": 13, "jump": 19, "reset_value": 20}
        | {"refractory": 4, "bias": 7, "spiking": 1, "readout": 1},
    ),
    state_fields: ({"v": 18}, {"v": 20, "u": 20, "r": 4, "b": 19}),
    input_fields: (
        {"kind": 2, "last": 1, "source": 8, "payload": 1},
        {"kind": 2, "last": 1, "source": 10, "payload": 9},
    ),
    output_fields: (
        {"kind": 2, "last": 1, "source": 4, "value": 18},
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


def test_value_holds_half_a_counter():
    narrow = replace(SMALL, state_bits=6)
    assert output_fields(narrow)[-1] == ("value", 16, True)
    assert state_fields(narrow)[0] == ("v", 6, True)


def test_source_holds_a_byte():
    """``source`` carries a byte of a load, and numbers the words of a report."""
    for inputs, width in ((1, 8), (256, 8), (257, 9)):
        assert input_fields(replace(SMALL, inputs=inputs))[2] == ("source", width, False)
    assert 2 * len(COUNTERS) <= 1 << output_fields(SMALL)[2][1]


@pytest.mark.parametrize(("row_words", "slots", "width"), [(5, 99, 3), (99, 7, 3), (8, 8, 4)])
def test_length_holds_the_longest_row(row_words, slots, width):
    """A row never has more words than slots, because each word advances by at least one."""
    p = MachineParams(inputs=1, neurons=slots, lanes=1, row_words=row_words)
    assert pointer_fields(p)[1] == ("length_0", width, False)


def test_numbers():
    assert MEMORY_NUMBERS == {"pointers": 0, "synapses": 1, "neurons": 2}
    assert READ_KINDS == {"v": 0, "u": 1, "r": 2, "counters": 3, "b": 4}
    assert INPUT_KINDS == {"event": 0, "end": 1, "load": 2, "read": 3}
    assert OUTPUT_KINDS == {"spike": 0, "readout": 1, "end": 2, "count": 3}


@pytest.mark.parametrize("kinds", [INPUT_KINDS, OUTPUT_KINDS, MEMORY_NUMBERS], ids=str)
def test_document_numbers_them_alike(kinds):
    listed = ", ".join(f"{number} {name}" for name, number in kinds.items())
    assert listed in DOC.read_text().replace("end of step", "end")


def test_document_lists_the_counters():
    names = "cycles, events, synaptic operations, bus stalls and\noutput stalls"
    assert names in DOC.read_text()
    want = names.replace("synaptic ", "").replace(" and\n", ", ").replace(" stalls", "_stalls")
    assert list(COUNTERS) == want.split(", ")


def test_row_depth_is_whole_blocks():
    words = (0, 1, 255, 256, 257, 512, 513)
    assert [row_depth(count) for count in words] == [256, 256, 256, 256, 512, 512, 768]
