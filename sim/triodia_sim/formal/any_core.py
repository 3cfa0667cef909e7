"""A machine that may do anything a stream may; stands for ``Core`` in proofs of what wraps it."""

from amaranth import *
from amaranth.asserts import AnySeq
from amaranth.hdl import Fragment
from amaranth.lib import wiring

from triodia_hw.gateware.core import Core, machine_ports
from triodia_hw.gateware.units import Units
from triodia_hw.machine.params import MachineParams

__all__ = ["WORDS", "AnyCore", "AnyMachine"]

# Output words take two registers of 32 bits.
WORDS = MachineParams(
    inputs=2, neurons=62, lanes=1, payload_bits=12, fraction_bits=0, state_bits=24, weight_bits=2
)


class AnyCore(wiring.Component):
    """All that a machine can do at its streams: take a word or not, put out any word at any time.

    An offered word stays until it is taken or the machine is reset, as the machine's queue of
    outputs keeps it (its proof is ``queue of ...``). Ready, words and counters may change in
    every cycle, in reset as well.

    Members
    -------
    As ``Core``, without ``fault``; besides ``sent``, ``left``: Out(1). A word goes in, comes out,
    in this cycle, and counts: the machine is not in reset.
    """

    def __init__(self, p: MachineParams) -> None:
        super().__init__(machine_ports(p) | {"sent": wiring.Out(1), "left": wiring.Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Value.cast(self.o.payload)
        stays, was = Signal(), Signal(len(word))
        inputs_and_outputs = {"reset", "i", "o", "sent", "left"}
        m.d.comb += [
            self.i.ready.eq(AnySeq(1)),
            self.o.valid.eq(stays | AnySeq(1)),
            word.eq(Mux(stays, was, AnySeq(len(word)))),
            self.sent.eq(self.i.valid & self.i.ready & ~self.reset),
            self.left.eq(self.o.valid & self.o.ready & ~self.reset),
            *(
                getattr(self, name).eq(AnySeq(32))
                for name in self.signature.members
                if name not in inputs_and_outputs
            ),
        ]
        m.d.sync += [stays.eq(self.o.valid & ~self.o.ready & ~self.reset), was.eq(word)]
        return m


class AnyMachine(Units):
    """Units with :attr:`core`, an :class:`AnyCore`, wherever a ``Core`` is added."""

    def __init__(self, p: MachineParams) -> None:
        super().__init__()
        self.core = AnyCore(p)

    def add(
        self, m: Module, name: str, unit: Elaboratable, reset: Value | None = None
    ) -> Elaboratable:
        if isinstance(unit, Core):
            Fragment.get(unit, None)  # Amaranth warns of a unit that nobody elaborates.
            unit = self.core
        return super().add(m, name, unit, reset)
