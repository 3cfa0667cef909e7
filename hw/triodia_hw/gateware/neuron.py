"""Neuron pipeline: leak, integrate, fire."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..compile.contents import accumulator_width
from ..machine.params import MachineParams
from ..machine.words import neuron_fields, state_fields
from .multiply import multiply
from .shapes import struct
from .units import Units

__all__ = ["NeuronUpdate", "update_layout"]

_LATENCY = 9


def update_layout(p: MachineParams) -> data.StructLayout:
    """An update: the next state, whether the neuron spiked, and the ``value`` of a readout."""
    return data.StructLayout({
        "end": 1,
        "state": struct(state_fields(p)),
        "spike": 1,
        "readout": 1,
        "value": signed(p.state_bits),
    })


class NeuronUpdate(wiring.Component):
    """Compute :func:`triodia_hw.machine.neuron.update`, one neuron per cycle; latency 9 cycles.

    Neurons leave in order, without waiting; ``end`` travels along.

    While ``read`` is high ``value`` is a word of the old state instead, by the parameters of
    :func:`triodia_hw.compile.contents.read_words`.

    Members
    -------
    i : In(stream.Signature({end, neuron (parameters), state})), always ready.
    read, rest, adapted : In. Ignore the sum; and show refractory steps left, or the adaptation
        (``adapted`` only where neurons adapt).
    zero : In. The next state is zero.
    fetch : Out(stream.Signature({end})), always ready: what came 2 cycles before; its sum is wanted
        2 cycles from now.
    sum : In. The accumulator's sum, 4 cycles after ``i``.
    o : Out(stream.Signature(update_layout)), always ready, registered. ``state`` is the next one,
        ``value`` the membrane potential of a readout, else 0.
    """

    def __init__(self, p: MachineParams, units: Units | None = None) -> None:
        self.p, self.units = p, units or Units()
        state, neuron = struct(state_fields(p)), struct(neuron_fields(p))
        request = data.StructLayout({"end": 1, "neuron": neuron, "state": state})
        super().__init__({
            "i": In(stream.Signature(request, always_ready=True)),
            "read": In(1),
            "rest": In(1),
            "zero": In(1),
            "fetch": Out(stream.Signature(data.StructLayout({"end": 1}), always_ready=True)),
            "sum": In(signed(accumulator_width(p))),
            "o": Out(stream.Signature(update_layout(p), always_ready=True)),
            **({"adapted": In(1)} if p.adaptive else {}),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        p = self.p
        valid = Signal(_LATENCY)
        end = Signal(_LATENCY)
        out = self.o.payload
        neuron, state = (
            self._delay(m, member, name)
            for member, name in ((self.i.payload.neuron, "neuron"), (self.i.payload.state, "state"))
        )
        m.d.sync += [valid.eq(Cat(self.i.valid, valid)), end.eq(Cat(self.i.payload.end, end))]
        m.d.comb += [self.fetch.valid.eq(valid[1]), self.fetch.payload.end.eq(end[1])]

        # 1 to 4: products, rounded toward zero. 5: synaptic current, and v + bias.
        v_left = self._decay(m, self.i.payload.state.v, self.i.payload.neuron.beta, "v")
        leaky = Signal(signed(p.state_bits + 1), reset_less=True)
        m.d.sync += leaky.eq(v_left + neuron[4].bias if p.bias_bits else v_left)
        u = self._current(m, state[4])
        # 6: their sum. 7: saturated. 8: compared with the threshold. 9: the spike's effect.
        raw = Signal(signed(max(len(u), len(leaky)) + 1), reset_less=True)
        candidate = Signal(signed(p.state_bits), reset_less=True)
        held = Signal(signed(p.state_bits), reset_less=True)
        over = Signal(signed(p.state_bits + 1), reset_less=True)
        m.d.sync += [
            raw.eq(leaky + u),
            candidate.eq(_saturate(raw, p.state_bits)),
            held.eq(candidate),
            over.eq(candidate - neuron[7].threshold),
        ]
        n = neuron[8]
        s = state[8]
        spike = Signal()
        resting = ~self.read & (s.r != 0) if p.refractory_bits else C(0)
        margin = self._adapt(m, neuron, state, candidate, spike) if p.adaptive else over
        fires = margin >= 0 if p.fires == "at" else margin > 0
        m.d.comb += spike.eq(n.spiking & ~resting & fires)
        after = over if p.reset == "subtract" else n.reset_value
        v = Mux(resting, s.v, Mux(spike, after, held))
        m.d.sync += [
            out.state.v.eq(v),
            out.spike.eq(spike),
            out.readout.eq(n.readout),
            out.value.eq(v),
        ]
        if p.refractory_bits:
            rest = Mux(resting, s.r - 1, Mux(spike, n.refractory, 0))
            m.d.sync += out.state.r.eq(rest)
        if p.synaptic:
            late = u
            for k in (6, 7, 8):
                stage = Signal.like(u, name=f"u_{k}", reset_less=True)
                m.d.sync += stage.eq(late)
                late = stage
            m.d.sync += out.state.u.eq(late)
        with m.If(~n.readout | end[_LATENCY - 2]):
            m.d.sync += out.value.eq(0)
        with m.If(self.zero):  # by the reset of these registers, at no cost
            m.d.sync += out.state.eq(0)
        m.d.comb += [self.o.valid.eq(valid[-1]), out.end.eq(end[-1])]
        return m

    def _adapt(
        self,
        m: Module,
        neuron: list[data.View],
        state: list[data.View],
        candidate: Signal,
        spike: Signal,
    ) -> Signal:
        """By how much the potential reaches the raised threshold, after 8 cycles; keeps ``b``."""
        p = self.p
        most = (1 << (p.state_bits - 1)) - 1
        left = self._decay(m, Cat(state[0].b, C(0, 1)).as_signed(), neuron[0].rho, "b")
        kept = [left[:-1]]  # after 4 cycles; never negative
        for k in range(5, _LATENCY):
            stage = Signal(p.state_bits - 1, name=f"b_{k}", reset_less=True)
            m.d.sync += stage.eq(kept[-1])
            kept.append(stage)
        level = Signal(p.state_bits, reset_less=True)
        margin = Signal(signed(p.state_bits + 2), reset_less=True)
        raised = Signal(p.state_bits - 1, reset_less=True)
        more = kept[3] + neuron[7].jump
        m.d.sync += [
            level.eq(kept[2] + neuron[6].threshold.as_unsigned()),
            margin.eq(candidate - level),
            raised.eq(Mux(more > most, most, more)),
            self.o.payload.state.b.eq(Mux(spike, raised, kept[4])),
        ]
        return margin

    def _delay(self, m: Module, value: data.View, name: str) -> list[data.View]:
        """``value`` after 0 to 9 cycles."""
        stages = [value]
        for k in range(1, _LATENCY + 1):
            stage = Signal(value.shape(), name=f"{name}_{k}", reset_less=True)
            m.d.sync += stage.eq(stages[-1])
            stages.append(stage)
        return stages

    def _decay(self, m: Module, x: Value, c: Value, name: str) -> Signal:
        """``decay`` of the contract; latency 4 cycles.

        Three cycles belong to the multiplier: it sits far from the logic, so the routes to and from
        the multiplier have a cycle each.
        """
        factor = Signal(signed(len(x)), name=f"{name}_factor", reset_less=True)
        leak = Signal(len(c), name=f"{name}_leak", reset_less=True)
        left = Signal(signed(len(x)), name=f"{name}_left", reset_less=True)
        product = multiply(m, factor, leak, parts=self.units.options.multiplier_parts, name=name)
        below = (1 << self.p.leak_bits) - 1
        m.d.sync += [
            factor.eq(x),
            leak.eq(c),
            left.eq((product + Mux(product < 0, below, 0)) >> self.p.leak_bits),
        ]
        return left

    def _current(self, m: Module, state: data.View) -> Signal:
        """``u'`` after 5 cycles: what enters the membrane, or another word of the state to read."""
        p = self.p
        scale = 0 if p.graded else p.fraction_bits
        arriving = self.sum << scale
        shown = max(p.refractory_bits + 1, p.state_bits if p.adaptive else 0)
        width = p.state_bits if p.synaptic else max(len(arriving), shown)
        u = Signal(signed(width), reset_less=True)
        if p.synaptic:
            left = self._decay(m, self.i.payload.state.u, self.i.payload.neuron.alpha, "u")
            arriving = _saturate(left + Mux(self.read, 0, arriving), p.state_bits)
            m.d.sync += u.eq(arriving)
        else:
            m.d.sync += u.eq(arriving)
            with m.If(self.read):
                m.d.sync += u.eq(0)
        if p.refractory_bits:
            with m.If(self.rest):
                m.d.sync += u.eq(state.r)
        if p.adaptive:
            with m.If(self.adapted):
                m.d.sync += u.eq(state.b)
        return u


def _saturate(x: Value, bits: int) -> Value:
    """``x`` clipped to signed ``bits``: where its upper bits differ, the greatest or the least."""
    sign, upper = x[-1], x[bits - 1 :]
    fits = upper.all() | ~upper.any()
    return Mux(fits, x[:bits], Cat((~sign).replicate(bits - 1), sign)).as_signed()
