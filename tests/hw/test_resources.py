"""Block RAMs, large memories and multipliers of a machine, by hand."""

from dataclasses import replace

import pytest

from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import LINK_BLOCKS, DoesNotFit, check_fit
from triodia_hw.compile.contents import memory_shapes, wheel_shapes
from triodia_hw.compile.options import QUEUES, Options
from triodia_hw.cost.resources import (
    block_rams,
    blocks_by_memory,
    multipliers,
    queue_widths,
    single_port_rams,
)
from triodia_hw.gateware.shapes import record_layout, row_layout, struct, token_layout
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import output_fields

SMALL = MachineParams(
    inputs=12,
    neurons=128,
    lanes=2,
    state_bits=16,
    accumulator_bits=20,
    synapse_words=1024,
    gap_bits=6,
    row_words=63,
)
ICE40 = Options(family="ice40")


TINY = replace(SMALL, inputs=1, neurons=2, synapse_words=2, adaptive=True)  # 3 bits ask for b


@pytest.mark.parametrize("machine", [SMALL, replace(SMALL, adaptive=True), TINY])
@pytest.mark.parametrize("payload_bits", [1, 8, 12])
def test_queue_widths_are_those_of_the_gateware(payload_bits, machine):
    p = replace(machine, payload_bits=payload_bits)
    widths, token = queue_widths(p), token_layout(p)
    assert set(widths) == set(QUEUES)
    assert widths["rows"] == row_layout(p).size
    assert widths["records"] == record_layout(p).size
    assert widths["outputs"] == struct(output_fields(p)).size
    # "last" and "read" never come back, and the payload of a spike is always the same.
    assert widths["returns"] == 1 + token["source"].width


def test_blocks_of_a_wheel():
    """By hand: 41 lists of 140 events in words of 8 + 8 bits; 41 words of 13 + 8 bits."""
    p = replace(SMALL, delays=(3, 40))
    assert (p.inputs, p.neurons) == (12, 128)
    assert [(s.name, s.width, s.depth) for s in wheel_shapes(p)] == [
        ("wheel", 16, 41 * 140),
        ("lists", 21, 41),
    ]
    ecp5 = blocks_by_memory(p, Options())
    assert ecp5["wheel"] == 3 + 3 and "lists" not in ecp5 and "replays" not in ecp5
    ice40 = blocks_by_memory(p, ICE40)
    assert (ice40["lists"], ice40["replays"]) == (2, 2)
    parity = blocks_by_memory(p, Options(parity=True))
    assert parity["wheel_parity"] == 1
    assert not {"wheel", "lists"} & set(blocks_by_memory(SMALL, Options()))


def test_blocks_of_an_ice40_machine():
    """By hand, from the shapes 256 x 16, 512 x 8, 1024 x 4, 2048 x 2."""
    assert [(s.name, s.width, s.depth) for s in memory_shapes(SMALL)] == [
        ("pointers", 16, 256),
        ("synapses", 14, 1024),
        ("neurons", 29, 256),
        ("state", 16, 64),
        ("sums_0", 20, 64),
        ("sums_1", 20, 64),
    ]
    memories = 2 * (1 + 4 + 2 + 1 + 2 + 2)
    assert block_rams(SMALL, ICE40) == memories
    # Adaptation adds 11 + 15 bits to a neuron's parameters, and 15 to its state.
    assert block_rams(replace(SMALL, adaptive=True), ICE40) == memories + 2 * (2 + 1)
    # Each PE has a queue of 28 bits of rows and one of 27 of records.
    assert block_rams(SMALL, replace(ICE40, queues=("rows", "records"))) == memories + 2 * (2 + 2)
    assert block_rams(SMALL, replace(ICE40, queues=("returns",))) == memories + 1
    alone = replace(ICE40, single_port=("synapses",))
    assert block_rams(SMALL, alone) == memories - 2 * 4
    assert single_port_rams(SMALL, alone) == 2
    assert single_port_rams(replace(SMALL, synapse_words=16385, weight_bits=16), alone) == 2 * 2 * 2
    assert single_port_rams(SMALL, ICE40) == 0


def test_multipliers():
    assert multipliers(SMALL, 16) == 4
    assert multipliers(replace(SMALL, payload_bits=1), 16) == 2
    assert multipliers(replace(SMALL, synaptic=True, state_bits=18), 16) == 2 * (2 * 2 + 1)
    assert multipliers(replace(SMALL, synaptic=True, state_bits=18), 18) == 2 * 3
    assert multipliers(replace(SMALL, synaptic=True, adaptive=True), 18) == 2 * 4


def test_how_a_machine_is_built_for_ice40():
    """Queues take the block RAM that is left, in order; adders replace missing multipliers."""
    options = check_fit(SMALL, BOARDS["hx8k-evb"])
    assert options == Options(family="ice40", queues=("rows", "returns"), multiplier_parts=4)
    assert LINK_BLOCKS["ice40"] + block_rams(SMALL, options) == 32
    options = check_fit(SMALL, BOARDS["icebreaker"])
    assert options.single_port == ("synapses",) and options.multiplier_parts == 1
    assert options.queues == QUEUES[:4] and LINK_BLOCKS["ice40"] + block_rams(SMALL, options) == 30
    roomy = replace(BOARDS["icebreaker"], luts=10_000, registers=10_000)
    assert check_fit(replace(SMALL, synaptic=True), roomy).queues == (
        "rows",
        "returns",
        "outputs",
    )
    wide = replace(SMALL, lanes=4, synaptic=True)
    assert check_fit(wide, replace(roomy, blocks=60, luts=20_000)).multiplier_parts == 4


def test_too_many_synapses_for_the_large_memories():
    p = replace(SMALL, synapse_words=40_000)
    text = (
        r"^icebreaker has 4 large memories and the machine needs 6 for 80000 synapse words on "
        r"2 lanes; .*take a larger board such as \S+$"
    )
    with pytest.raises(DoesNotFit, match=text):
        check_fit(p, BOARDS["icebreaker"])


def test_too_many_blocks():
    p = replace(SMALL, synapse_words=4096)
    with pytest.raises(DoesNotFit, match=r"^hx8k-evb has 32 block RAMs and the machine needs 49 "):
        check_fit(p, BOARDS["hx8k-evb"])


def test_options():
    with pytest.raises(
        ValueError, match=r"^family must be one of ecp5, ice40, gowin, gw5a, xilinx, not 'xc7'$"
    ):
        Options(family="xc7")
    text = r"^single_port must be empty unless the machine is loadable$"
    with pytest.raises(ValueError, match=text):
        Options(single_port=("synapses",), loadable=False)
    shallow = {name: ICE40.depth(name) for name in QUEUES}
    assert shallow == {"rows": 16, "records": 16, "returns": 16, "outputs": 8, "inputs": 4}
    assert {replace(ICE40, queues=QUEUES).depth(name) for name in QUEUES} == {16}
    assert {Options().depth(name) for name in QUEUES} == {16}
