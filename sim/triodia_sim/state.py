"""Values of a simulated machine: its ports, and the state words in its memories."""

from cocotb.handle import SimHandleBase

from triodia_hw.machine.image import Image
from triodia_hw.machine.words import state_fields, unpack

from .scoreboard import Scoreboard

__all__ = ["compare_state", "integer"]


def integer(handle: SimHandleBase, *, signed: bool = False) -> int | None:
    """Value of a port, None if undefined; cocotb gives one bit and several different types."""
    value = handle.value
    if not value.is_resolvable:
        return None
    if not hasattr(value, "to_unsigned"):
        return int(value)
    return value.to_signed() if signed else value.to_unsigned()


def compare_state(dut: SimHandleBase, image: Image, board: Scoreboard, cycle: int) -> None:
    """Compare every neuron's state word with the reference's."""
    p, fields = image.params, state_fields(image.params)
    for neuron, slot in enumerate(image.slot.tolist()):
        lane = getattr(dut.core, f"lane_{slot // p.slots}")
        word = integer(lane.sweep.state.mem_0.mem[slot % p.slots])
        values = {} if word is None else unpack(fields, word)
        for name, *_ in fields:
            board.state_word(neuron, name, values.get(name, "undefined"), cycle)
