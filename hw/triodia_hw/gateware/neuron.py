"""Neuron pipeline: leak, integrate, fire."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..contract import MachineParams
from ..layout import neuron_fields, state_fields
from ..memory import accumulator_width
from .shapes import struct

__all__ = ["NeuronUpdate"]

_LATENCY = 8


class NeuronUpdate(wiring.Component):
    """Compute :func:`triodia_hw.contract.update`, one neuron per cycle; latency 8 cycles.

    In order; never waits. ``end`` travels along.

    Members
    -------
    i : In. valid, end, neuron (parameters), state.
    fetch : Out. valid, end of what came 2 cycles before: its sum is wanted 2 cycles from now.
    sum : In. The accumulator's sum, 4 cycles after ``i``.
    o : Out, registered. valid, end, state (next), spike, readout, value (membrane potential).
    """

    def __init__(self, p: MachineParams) -> None:
        self.p = p
        state, neuron = struct(state_fields(p)), struct(neuron_fields(p))
        super().__init__({
            "i": In(
                data.StructLayout({
                    "valid": 1,
                    "end": 1,
                    "neuron": neuron,
                    "state": state,
                })
            ),
            "fetch": Out(data.StructLayout({"valid": 1, "end": 1})),
            "sum": In(signed(accumulator_width(p))),
            "o": Out(
                data.StructLayout({
                    "valid": 1,
                    "end": 1,
                    "state": state,
                    "spike": 1,
                    "readout": 1,
                    "value": signed(p.state_bits),
                })
            ),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        valid, end = Signal(_LATENCY), Signal(_LATENCY)
        neuron, state = (
            self._delay(m, member, name)
            for member, name in ((self.i.neuron, "neuron"), (self.i.state, "state"))
        )
        m.d.sync += [valid.eq(Cat(self.i.valid, valid)), end.eq(Cat(self.i.end, end))]
        m.d.comb += [self.fetch.valid.eq(valid[1]), self.fetch.end.eq(end[1])]

        # 1 to 4: products, rounded toward zero. 5: synaptic current, and v + bias.
        v_left = self._decay(m, self.i.state.v, self.i.neuron.beta, "v")
        leaky = Signal(signed(p.state_bits + 1))
        m.d.sync += leaky.eq(v_left + neuron[4].bias if p.bias_bits else v_left)
        u = self._current(m)
        # 6: their sum. 7: saturated. 8: compared with the threshold.
        raw = Signal(signed(max(len(u), len(leaky)) + 1))
        candidate = Signal(signed(p.state_bits))
        m.d.sync += [raw.eq(leaky + u), candidate.eq(_saturate(raw, p.state_bits))]
        over, spike = Signal(signed(p.state_bits + 1)), Signal()
        n, s = neuron[7], state[7]
        resting = s.r != 0 if p.refractory_bits else C(0)
        m.d.comb += [
            over.eq(candidate - n.threshold),
            spike.eq(n.spiking & ~resting & (over >= 0)),
        ]
        after = over if p.reset == "subtract" else n.reset_value
        v = Mux(resting, s.v, Mux(spike, after, candidate))
        m.d.sync += [
            self.o.state.v.eq(v),
            self.o.spike.eq(spike),
            self.o.readout.eq(n.readout),
            self.o.value.eq(v),
        ]
        if p.refractory_bits:
            rest = Mux(resting, s.r - 1, Mux(spike, n.refractory, 0))
            m.d.sync += self.o.state.r.eq(rest)
        if p.synaptic:
            late = [Signal.like(u, name=f"u_{k}") for k in (6, 7)]
            m.d.sync += [late[0].eq(u), late[1].eq(late[0]), self.o.state.u.eq(late[1])]
        m.d.comb += [self.o.valid.eq(valid[-1]), self.o.end.eq(end[-1])]
        return m

    def _delay(self, m: Module, value: data.View, name: str) -> list[data.View]:
        """``value`` after 0 to 8 cycles."""
        stages = [value]
        for k in range(1, _LATENCY + 1):
            stage = Signal(value.shape(), name=f"{name}_{k}")
            m.d.sync += stage.eq(stages[-1])
            stages.append(stage)
        return stages

    def _decay(self, m: Module, x: Value, c: Value, name: str) -> Signal:
        """``decay`` of the contract; latency 4 cycles.

        Three of them are the multiplier's: it sits far from the logic, so the way there and the
        way back have a cycle of their own.
        """
        factor = Signal(signed(len(x)), name=f"{name}_factor")
        leak = Signal(len(c), name=f"{name}_leak")
        multiplied, product = (
            Signal(signed(len(x) + len(c)), name=f"{name}_{k}") for k in ("multiplied", "product")
        )
        left = Signal(signed(len(x)), name=f"{name}_left")
        below = (1 << self.p.leak_bits) - 1
        m.d.sync += [
            factor.eq(x),
            leak.eq(c),
            multiplied.eq(factor * leak),
            product.eq(multiplied),
            left.eq((product + Mux(product < 0, below, 0)) >> self.p.leak_bits),
        ]
        return left

    def _current(self, m: Module) -> Signal:
        """``u'`` after 5 cycles: what enters the membrane."""
        p = self.p
        scale = 0 if p.graded else p.fraction_bits
        arriving = self.sum << scale
        if not p.synaptic:
            u = Signal(signed(len(arriving)))
            m.d.sync += u.eq(arriving)
            return u
        u = Signal(signed(p.state_bits))
        left = self._decay(m, self.i.state.u, self.i.neuron.alpha, "u")
        m.d.sync += u.eq(_saturate(left + arriving, p.state_bits))
        return u


def _saturate(x: Value, bits: int) -> Value:
    """``x`` clipped to signed ``bits``."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return Mux(x > high, high, Mux(x < low, low, x))
