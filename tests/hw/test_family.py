# amaranth: UnusedElaboratable=no
"""The memory model of each family against synthesis."""

import json
from dataclasses import replace

import pytest

from tests.support.networks import random_image
from triodia_boards.capacity import capacity
from triodia_boards.catalog import BOARDS
from triodia_boards.flow.limits import LINK_BLOCKS, check_fit
from triodia_boards.flow.program import placeholder
from triodia_boards.flow.synthesis import synthesize
from triodia_hw.compile.options import QUEUES, Options
from triodia_hw.cost.resources import block_rams, multipliers, single_port_rams
from triodia_hw.export.rtlil import TOP, core_rtlil
from triodia_hw.machine.params import MachineParams

BITS = {"ecp5": 18, "ice40": 16, "gowin": 18, "xilinx": 18}


def taken(p, options, folder):
    (folder / f"{TOP}.il").write_text(core_rtlil(p, placeholder(p, options), options))
    multiply = options.multiplier_parts == 1
    return synthesize(TOP, folder, options.family, multiply=multiply)


@pytest.mark.parametrize("family", BITS)
def test_blocks_are_those_of_synthesis(family, tmp_path):
    p = random_image(4, lanes=1, state_bits=16).params
    options = Options(family=family, queues=QUEUES if family == "ice40" else ())
    made = taken(p, options, tmp_path)
    assert made.blocks == block_rams(p, options) > 0
    assert 0 < made.multipliers <= multipliers(p, BITS[family])
    assert made.lut4 > 100 and made.registers > 100


def test_blocks_of_a_family_without_multipliers(tmp_path):
    """A GW5A: no look-up table is a memory, and products are made of adders."""
    p = random_image(4, lanes=1, state_bits=16).params
    options = Options(family="gw5a", queues=QUEUES, multiplier_parts=4)
    made = taken(p, options, tmp_path)
    assert made.blocks == block_rams(p, options) > 0 == made.multipliers
    cells = json.loads((tmp_path / f"{TOP}.json").read_text())["modules"][TOP]["cells"]
    assert not [cell for cell in cells.values() if cell["type"].startswith("RAM16")]


CAPACITIES = ["ulx3s-25f", "icebreaker", "tang-nano-9k", "tang-primer-25k", "arty-a7-35"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CAPACITIES)
def test_capacity_is_that_of_synthesis(name, tmp_path):
    """The largest machine that `triodia boards` promises, its memories counted after synthesis."""
    board = BOARDS[name]
    lanes = 1 if board.family == "ice40" else 2  # the logic of an iCEBreaker holds one PE
    most = capacity(board, 64, lanes=lanes)
    assert most.limit == "memory" and max(most.percent.values()) <= 100
    p = MachineParams(
        inputs=16,
        neurons=64,
        lanes=lanes,
        gap_bits=5,
        state_bits=16 if board.family == "ice40" else 18,
        accumulator_bits=22,
        row_words=64 // lanes,
        synapse_words=most.synapses // lanes,
    )
    options = check_fit(p, board)
    made = taken(p, options, tmp_path)
    assert made.blocks == block_rams(p, options) <= board.blocks - LINK_BLOCKS[board.family]
    if board.single_port:
        assert single_port_rams(p, options) == board.single_port
    else:
        more = replace(p, synapse_words=p.synapse_words + 512)
        with pytest.raises(ValueError, match=rf"^{name} has "):
            check_fit(more, board)
