"""Broadcast bus: sends every input token and every returned spike to every PE."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from .shapes import token_layout
from .signatures import Flow

__all__ = ["Bus"]


class Bus(wiring.Component):
    """Merge two streams step by step, for all PEs at once: latency 1 cycle, 1 token per cycle.

    Items (tokens without ``end``) of one input keep their order. ``returns`` has priority, so
    ``inputs`` waits at most for the returned items of one step. An input at its ``end`` waits until
    the other input is at its own; then one ``end`` leaves, the one from ``inputs``. So no item
    crosses the end of its step.

    Waits while any PE lacks room. ``room`` is registered on the way in and the token on the way
    out, so a PE must offer room for 2 tokens more than it says. All PEs get the same tokens.

    Members
    -------
    inputs, returns : In(stream.Signature(token_layout)).
    lanes : Out(Flow(token_layout)).array(lanes).
    event, stall : Out(1). An event went out; a token was held up.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        super().__init__({
            "inputs": In(stream.Signature(token_layout(p))),
            "returns": In(stream.Signature(token_layout(p))),
            "lanes": Out(Flow(token_layout(p))).array(p.lanes),
            "event": Out(1),
            "stall": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, r = self.inputs, self.returns
        go = Signal()
        ends = Signal()
        spike = Signal()
        item = Signal()
        valid = Signal()
        token = Signal(token_layout(self.p), reset_less=True)
        m.d.comb += [
            ends.eq(i.valid & i.p.end & r.valid & r.p.end),
            spike.eq(r.valid & ~r.p.end),
            item.eq(i.valid & ~i.p.end & ~spike),
            r.ready.eq(go & (ends | spike)),
            i.ready.eq(go & (ends | item)),
            *(lane.valid.eq(valid) for lane in self.lanes),
            *(lane.payload.eq(token) for lane in self.lanes),
            self.event.eq(valid & ~token.end),
            self.stall.eq((ends | spike | item) & ~go),
        ]
        m.d.sync += [
            go.eq(Cat(lane.room for lane in self.lanes).all()),
            valid.eq(go & (ends | spike | item)),
            token.eq(Mux(spike, r.payload, i.payload)),
        ]
        return m
