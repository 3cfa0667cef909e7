"""Deliberate faults in the gateware; each changes one place in the source."""

from dataclasses import dataclass

__all__ = ["FAULTS", "Fault"]

STATE = ("tests/hw/test_readback.py", "test_state and stall0")
ADAPTED = ("tests/hw/test_readback.py", "test_state and stall0 and adaptive")
EVENTS = ("tests/hw/test_readback.py", "test_read_behind_the_events")
COUNTS = ("tests/hw/test_readback.py", "test_counters")
RESET = ("tests/hw/test_readback.py", "test_reset_in_mid_step")
LOAD = ("tests/hw/test_loading.py", "test_second_network and stall0")
NEURON = ("tests/hw/test_neuron.py", "test_read")


@dataclass(frozen=True)
class Fault:
    """``faulty`` instead of ``text`` in ``file``.

    ``by``: file and name of the simulation that must catch it; without it, co-simulation must.
    ``case``: the network that co-simulation tries first, since it brings the fault to light.
    """

    file: str
    text: str
    faulty: str
    by: tuple[str, str] | None = None
    case: str = "everything"


FAULTS = {
    "rounding to minus infinity": Fault(
        "neuron.py", "Mux(product < 0, below, 0)", "Mux(product < 0, 0, 0)"
    ),
    "threshold exceeded, not reached": Fault("neuron.py", "margin >= 0 if", "margin > 0 if"),
    "no saturation of the potential": Fault(
        "neuron.py", "candidate.eq(_saturate(raw, p.state_bits))", "candidate.eq(raw)"
    ),
    "no saturation of the current": Fault(
        "neuron.py",
        "_saturate(left + Mux(self.read, 0, arriving), p.state_bits)",
        "left + Mux(self.read, 0, arriving)",
    ),
    "refractory period one short": Fault("neuron.py", "Mux(spike, n.refractory, 0)", "0"),
    "potential moves while refractory": Fault(
        "neuron.py", "v = Mux(resting, s.v, ", "v = Mux(resting, held, "
    ),
    "bias left out": Fault("neuron.py", "v_left + neuron[4].bias", "v_left"),
    "synaptic leak by the membrane's": Fault(
        "neuron.py",
        "self.i.payload.state.u, self.i.payload.neuron.alpha",
        "self.i.payload.state.u, self.i.payload.neuron.beta",
    ),
    **{
        name: Fault("neuron.py", text, faulty, case="adaptive")
        for name, text, faulty in (
            ("adaptation never decays", 'neuron[0].rho, "b"', 'C(1 << p.leak_bits), "b"'),
            ("threshold not raised", "level.eq(kept[2] + ", "level.eq(0 + "),
            ("raised threshold taken from the potential", "after = over if", "after = margin if"),
            ("no saturation of the adaptation", "Mux(more > most, most, more)", "more[:-1]"),
            ("threshold jumps without a spike", "Mux(spike, raised, kept[4])", "raised"),
            ("threshold raised before the decay", "level.eq(kept[2] + ", "level.eq(state[6].b + "),
            ("jump of the neuron behind", "kept[3] + neuron[7].jump", "kept[3] + neuron[6].jump"),
            (
                "adaptation stops while refractory",
                "Mux(spike, raised, kept[4])",
                "Mux(state[8].r != 0, state[8].b, Mux(spike, raised, kept[4]))",
            ),
        )
    },
    **{
        name: Fault("wheel.py", text, faulty, case="delays")
        for name, text, faulty in (
            ("delay one short", "_back(step, delays[0], lists.depth)", "step"),
            ("delayed events of the sequence before", "kept.eq(0)", "kept.eq(kept)"),
            ("delays all of one list", "apart.eq(after - here)", "apart.eq(0)"),
            ("delayed rows of one group", "row.eq(row + p.sources)", "row.eq(row)"),
            ("list one event short", "count.eq(count + 1)]", "count.eq(count | 1)]"),
            (
                "wheel one place short",
                "place.eq(_next(place, wheel.depth))",
                "place.eq(_next(place, wheel.depth - 1))",
            ),
            (
                "list of the ring's end",
                "place + wheel.depth - count, place",
                "place - count, place",
            ),
            ("payload of a delayed event", "token.payload.eq(word.payload)", "token.payload.eq(1)"),
            ("replay lost when the queue fills", "spare=_STAGES + 1", "spare=0"),
            ("list read too soon", "known = Signal(_READ)", "known = Signal(1)"),
        )
    },
    "replays lost in the bus": Fault(
        "bus.py", "w.ready.eq(go & (again", "w.ready.eq((again", case="delays"
    ),
    "replays kept again": Fault("bus.py", "fresh.eq(~again)", "fresh.eq(1)", case="delays"),
    "step ends before its replays": Fault(
        "bus.py", "done = i.p.read | (w.valid & w.p.end)", "done = C(1)", case="delays"
    ),
    "a read takes the replays' end": Fault(
        "bus.py",
        "again | (ends & ~i.p.read)",
        "again | ends",
        ("tests/hw/test_readback.py", "test_state and stall0 and delays"),
    ),
    "row one synapse short": Fault("walker.py", "row.length == 2", "row.length <= 3"),
    "row starts one late": Fault(
        "fetcher.py", "_pair([begin, *before])", "_pair([begin, *before, C(1, 1)])"
    ),
    "row of one synapse lost": Fault("fetcher.py", "(length != 0)", "(length > 1)"),
    "event lost when the queue fills": Fault(
        "fetcher.py", "_SPARE = _STAGES + 2", "_SPARE = 0", case="long queues"
    ),
    "no forwarding from the last sum": Fault(
        "accumulator.py", "Mux(follows[1], total, operand)", "operand"
    ),
    "no forwarding at distance two": Fault(
        "accumulator.py", "Mux(now[1:].any()", "Mux(now[2:].any()"
    ),
    "no forwarding at distance four": Fault(
        "accumulator.py", "~now[1] & (now[2] | now[3])", "~now[1] & now[2]"
    ),
    "forwarding across banks": Fault(
        "accumulator.py", "[bank.eq(~bank), mates.eq(0)]", "bank.eq(~bank)"
    ),
    "sum not cleared": Fault(
        "sweep.py",
        "sums.clear.eq(update.fetch.valid & ~update.fetch.payload.end & ~read)",
        "sums.clear.eq(0)",
    ),
    "first sweep clears one bank": Fault(
        "sweep.py", "sums.clear_all.eq(first)", "sums.clear_all.eq(0)"
    ),
    "sweep reads the wrong bank": Fault(
        "accumulator.py",
        "Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum)",
        "Mux(bank, banks[1].r_data.sum, banks[0].r_data.sum)",
    ),
    "sweep one neuron short": Fault(
        "sweep.py", "finish.eq(slot == p.slots)", "finish.eq(slot == p.slots - 1)"
    ),
    "state kept after the last step": Fault("neuron.py", "with m.If(self.zero):", "with m.If(0):"),
    "spikes of the last step delivered": Fault(
        "hub.py", "~(record.readout | record.last)", "~record.readout"
    ),
    "end overtakes items": Fault(
        "collector.py",
        "ends.eq(Cat(i.valid & i.p.end for i in self.i).all())",
        "ends.eq(Cat(i.valid & i.p.end for i in self.i).any() & ~turn.any())",
    ),
    "step ends before its spikes are there": Fault(
        "bus.py", "ends.eq(i.valid & i.p.end & r.valid & r.p.end)", "ends.eq(i.valid & i.p.end)"
    ),
    "payload taken as unsigned": Fault(
        "core.py",
        "word.payload.eq(i.payload if self.p.graded else 0)",
        "word.payload.eq(i.payload.as_unsigned() >> 1 if self.p.graded else 0)",
    ),
    "value on a spike": Fault(
        "neuron.py", "m.If(~n.readout | end[_LATENCY - 2])", "m.If(end[_LATENCY - 2])"
    ),
    "last on every word": Fault(
        "hub.py", "word.last.eq(record.last & record.end)", "word.last.eq(record.last)"
    ),
    "spike worth one instead of 2**f": Fault(
        "hub.py", "self.p.one if self.p.graded", "1 if self.p.graded"
    ),
    "gap without its one": Fault("walker.py", "+ word.gap + 1)", "+ word.gap)"),
    "row goes on from the last one": Fault(
        "walker.py", "Mux(stages[3][-1], base, target)", "target"
    ),
    "base of the row after": Fault(
        "walker.py", "base = bases[3]", "base = bases[2]", case="shared rows"
    ),
    "base of the event after": Fault(
        "fetcher.py", "row.base.eq(bases[2])", "row.base.eq(bases[1])", case="shared rows"
    ),
    "filler counted as operation": Fault(
        "accumulator.py", "valid[0] & some.any()", "valid[0]", case="fillers and groups"
    ),
    "wrong row of a group": Fault(
        "fetcher.py",
        "chosen = asked.source[:low]",
        "chosen = ~asked.source[:low]",
        case="fillers and groups",
    ),
    "second row of a group starts as the first": Fault(
        "fetcher.py",
        "Mux(asked.end, 0, part)",
        "0",
        case="fillers and groups",
    ),
    "a lane without reset": Fault(
        "core.py",
        "lane, reset)",
        "lane, reset if index else None)",
        RESET,
    ),
    "reset shorter than its way": Fault(
        "core.py", "reset.eq(self.reset | stretch.any())", "reset.eq(self.reset)", RESET
    ),
    "hub without reset": Fault("core.py", "Hub(p, units), closed)", "Hub(p, units))", RESET),
    "no reset by a load": Fault("core.py", "again = reset | loader.hold", "again = reset", LOAD),
    "word loaded one address on": Fault(
        "loader.py", "address.eq(address + 1)", "address.eq(address + 2)", LOAD
    ),
    "first byte of a word on top": Fault(
        "loader.py", "Cat(self.o.data[8:], byte)", "Cat(byte, self.o.data[:-8])", LOAD
    ),
    "first byte of a header on top": Fault(
        "loader.py", "Cat(fields[8:], byte)", "Cat(byte, fields[:-8])", LOAD
    ),
    "bytes of a word of another memory": Fault(
        "loader.py", "m.If(memory == number)", "m.If(lane[:2] == number)", LOAD
    ),
    "word loaded into every lane": Fault("lane.py", "m.If(mine)", "m.If(1)", LOAD),
    "writes lost in reset": Fault(
        "lane.py", "mine = Signal(reset_less=True)", "mine = Signal()", LOAD
    ),
    "read changes the state": Fault(
        "sweep.py",
        "write.eq(out.valid & ~done.end & ~read)",
        "write.eq(out.valid & ~done.end)",
        STATE,
    ),
    "read switches banks": Fault(
        "accumulator.py", "m.If(sweep.end & ~sweep.read)", "m.If(sweep.end)", EVENTS
    ),
    "read shows another word": Fault("sweep.py", "p.slots + what", "p.slots + (what ^ 1)", STATE),
    "read adds the sum": Fault("neuron.py", "Mux(self.read, 0, arriving)", "arriving", NEURON),
    "adaptation not shown": Fault("neuron.py", "m.If(self.adapted)", "m.If(0)", ADAPTED),
    "read of the adaptation shows the potential": Fault(
        "fetcher.py", "source[: read_bits(self.p)]", "source[:2]", ADAPTED
    ),
    "refractory steps not shown": Fault("neuron.py", "m.If(self.rest)", "m.If(0)", STATE),
    "halves of a counter exchanged": Fault(
        "report.py", "word_select(k, 16)", "word_select(k ^ 1, 16)", COUNTS
    ),
}
