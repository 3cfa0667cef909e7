"""Broadcast bus: every token to every PE."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..contract import MachineParams
from .shapes import token_layout

__all__ = ["Bus"]


class Bus(wiring.Component):
    """Hand each token to all PEs in the same cycle: latency 1 cycle, 1 token per cycle.

    Waits while any PE lacks room. ``room`` is registered on the way in and the token on the way
    out, so a PE must offer room for 3 tokens more than it says.

    Members
    -------
    i : In(stream.Signature(token_layout)).
    room : In(lanes). valid, token : Out, to every PE.
    event, stall : Out(1). An event went out; a token was held up.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({
            "i": In(stream.Signature(token_layout(p))),
            "room": In(p.lanes),
            "valid": Out(1),
            "token": Out(token_layout(p)),
            "event": Out(1),
            "stall": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        go = Signal()
        m.d.sync += [
            go.eq(self.room.all()),
            self.valid.eq(self.i.valid & go),
            self.token.eq(self.i.payload),
        ]
        m.d.comb += [
            self.i.ready.eq(go),
            self.event.eq(self.valid & ~self.token.end),
            self.stall.eq(self.i.valid & ~go),
        ]
        return m
