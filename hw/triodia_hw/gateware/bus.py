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
    replays : In(stream.Signature(token_layout)). kept : Out(Flow(token_layout)). With delays only.
    event, stall : Out(1). An event went out; a token was held up.
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        delayed = {
            "replays": In(stream.Signature(token_layout(p))),
            "kept": Out(Flow(token_layout(p))),
        }
        super().__init__({
            "inputs": In(stream.Signature(token_layout(p))),
            "returns": In(stream.Signature(token_layout(p))),
            "lanes": Out(Flow(token_layout(p))).array(p.lanes),
            "event": Out(1),
            "stall": Out(1),
            **(delayed if p.delays else {}),
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
        if self.p.delays:
            self._replay(m, go=go, ends=ends, item=spike | item, valid=valid, token=token)
        return m

    def _replay(
        self, m: Module, *, go: Signal, ends: Signal, item: Value, valid: Signal, token: Signal
    ) -> None:
        """Add a third input, ``replays``: its items pass when the others have none.

        The end of a step waits for its end too; an end that reads does not. ``kept`` puts out every
        token again, without the items of ``replays``.
        """
        i, r, w = self.inputs, self.returns, self.replays
        again, fresh = Signal(), Signal()
        done = i.p.read | (w.valid & w.p.end)
        m.d.comb += [
            ends.eq(i.valid & i.p.end & r.valid & r.p.end & done),
            again.eq(w.valid & ~w.p.end & ~ends & ~item),
            w.ready.eq(go & (again | (ends & ~i.p.read))),
            self.stall.eq((ends | item | again) & ~go),
            self.kept.valid.eq(valid & fresh),
            self.kept.payload.eq(token),
        ]
        m.d.sync += fresh.eq(~again)
        with m.If(again):
            m.d.sync += [valid.eq(go), token.eq(w.payload)]
