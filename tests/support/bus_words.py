"""What the benches of the bus wrappers share: a network, its words, and what must come."""

from tests.support.networks import random_events, random_image
from tests.support.wrappers_bench import words_of
from triodia_hw.machine.words import output_fields, width_of
from triodia_sim.scoreboard import Scoreboard

__all__ = ["IMAGE", "OUT_BITS", "OUT_PARTS", "START", "fill", "finished", "in_words", "sequences"]

# Output words take two registers of 32 bits.
IMAGE = random_image(1, lanes=1, state_bits=24, neurons=12, inputs=53)
OUT_BITS = width_of(output_fields(IMAGE.params))
OUT_PARTS = -(-OUT_BITS // 32)
START = 16 + IMAGE.params.lanes + 3  # cycles from the end of reset to the first word


def sequences(seed):
    return [random_events(IMAGE, 5, seed), random_events(IMAGE, 2, seed + 1)]


def in_words(board):
    return [word for _, _, events, last in board.plan for word in words_of(IMAGE, events, last)]


def finished(board):
    assert board.done and board.mismatches == 0, board.first
    assert board.spikes > 3


async def fill(send):
    """Words of steps whose results nobody takes, until there is no room."""
    for word in in_words(Scoreboard(IMAGE, [random_events(IMAGE, 30, 9)])):
        for _ in range(30):
            if await send(word):
                break
        else:
            return
    raise AssertionError("the machine takes words for ever")
