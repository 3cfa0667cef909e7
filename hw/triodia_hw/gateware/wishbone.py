"""The machine as a slave on a Wishbone bus, with an interrupt."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import input_fields, output_fields, width_of
from .core import Core
from .units import Units
from .wrappers import hold_reset

__all__ = ["REGISTERS", "WishboneTop", "parts"]

# Addresses of the registers in words of 32 bits; INPUT and OUTPUT are four registers.
REGISTERS = {
    "STATUS": 0,
    "SHAPE": 1,
    "IRQ_ENABLE": 2,
    "IRQ_PENDING": 3,
    "INPUT": 4,
    "OUTPUT": 8,
}
_PARTS = 4  # registers of a word at most


def parts(width: int) -> int:
    """Registers of 32 bits that a word takes; ``ValueError`` if it has more than there are."""
    count = -(-width // 32)
    if count > _PARTS:
        raise ValueError(f"a word must have at most {32 * _PARTS} bits, not {width}")
    return count


class WishboneTop(wiring.Component):
    """:class:`Core` as a Wishbone B4 slave (OpenCores) of 32 bits, with an interrupt.

    Cycles may be classic or pipelined.

    A request is taken in a cycle in which ``cyc`` and ``stb`` are high and ``stall`` is low, and
    ended in the next one by ``ack``, or by ``err``: then nothing was done. Never both, and never
    later, so the bus does not wait for the machine. While a request ends no other one is taken:
    a classic master still has ``stb`` high then.

    Registers, by address in words:

    - 0 status. Read: bit 0, there is room for an input word; bit 1, an output word is there.
      Write: bit 0 resets the machine; both bits stay 0 until that is done.
    - 1 shape. Read: registers of an input word in bits 0 to 7, of an output word in bits 8 to 15.
    - 2 interrupt enable, read and write. Bits as in the status.
    - 3 interrupt pending, read. Status bits that are enabled; ``irq`` is high while any is 1.
    - 4 to 7 input word, lowest bits in 4. Writing 4 sends it, with what was written to the others
      before; ``err`` if there is no room: send it again, and no other one before it was taken.
    - 8 to 11 output word, lowest bits in 8. Reading 8 takes it off the stream, and the others show
      the rest of the word that was taken last; ``err`` if none is there.

    ``err`` also for an address or a direction that is not listed, and for a write without all of
    ``sel``. ``wb_dat_o`` stays as it was after an address that cannot be read.

    Members
    -------
    clk, rst : In(1). ``rst`` is high for at least a cycle, and may come at any time.
    wb_cyc, wb_stb, wb_we : In(1). wb_adr : In(4). wb_sel : In(4). wb_dat_i : In(32).
    wb_dat_o : Out(32). wb_ack, wb_err, wb_stall : Out(1).
    irq : Out(1). Level: high while an enabled status bit is 1. ``rst`` clears the enable bits, a
        reset by the bus does not.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units()
        self.i_parts = parts(width_of(input_fields(p)))
        self.o_parts = parts(width_of(output_fields(p)))
        super().__init__({
            "clk": In(1),
            "rst": In(1),
            "wb_cyc": In(1),
            "wb_stb": In(1),
            "wb_we": In(1),
            "wb_adr": In(4),
            "wb_sel": In(4),
            "wb_dat_i": In(32),
            "wb_dat_o": Out(32),
            "wb_ack": Out(1),
            "wb_err": Out(1),
            "wb_stall": Out(1),
            "irq": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        machine = Core(self.p, contents=self.contents, units=self.units)
        core = self.units.add(m, "core", machine)
        again, done, failed, taken, good = (
            Signal(name=name) for name in "again done failed taken good".split()
        )
        enabled, status = Signal(2), Signal(2)
        held = hold_reset(m, core, self.rst | again)
        m.d.comb += [
            clock.clk.eq(self.clk),
            status.eq(Cat(core.i.ready, core.o.valid) & (~held).replicate(2)),
            self.irq.eq((status & enabled).any()),
            # A request that ends is over if its master has gone away.
            self.wb_ack.eq(done & self.wb_cyc),
            self.wb_err.eq(failed & self.wb_cyc),
            self.wb_stall.eq(done | failed),
            taken.eq(self.wb_cyc & self.wb_stb & ~self.wb_stall & ~self.rst),
        ]
        can_write = self._write(m, core, taken, again, status[0], enabled) & self.wb_sel.all()
        can_read = self._read(m, core, taken, held, status, enabled)
        m.d.comb += good.eq(Mux(self.wb_we, can_write, can_read))
        m.d.sync += [done.eq(taken & good), failed.eq(taken & ~good)]
        with m.If(self.rst):
            m.d.sync += enabled.eq(0)
        return m

    def _write(
        self, m: Module, core: Core, taken: Value, again: Signal, room: Value, enabled: Signal
    ) -> Value:
        """What a write does; returns whether it can be done."""
        good = Signal(name="can_write")
        writes = taken & self.wb_we & self.wb_sel.all()
        rest = [Signal(32, name=f"input_{k}") for k in range(1, self.i_parts)]
        m.d.comb += Value.cast(core.i.payload).eq(Cat(self.wb_dat_i, *rest))
        m.d.sync += again.eq(writes & (self.wb_adr == REGISTERS["STATUS"]) & self.wb_dat_i[0])
        with m.Switch(self.wb_adr):
            with m.Case(REGISTERS["STATUS"]):
                m.d.comb += good.eq(1)
            with m.Case(REGISTERS["INPUT"]):
                m.d.comb += [good.eq(room), core.i.valid.eq(writes & ~core.reset)]
            free = {REGISTERS["INPUT"] + k: part for k, part in enumerate(rest, start=1)}
            for address, register in ({REGISTERS["IRQ_ENABLE"]: enabled} | free).items():
                with m.Case(address):
                    m.d.comb += good.eq(1)
                    with m.If(writes):
                        m.d.sync += register.eq(self.wb_dat_i)
        return good

    def _read(
        self, m: Module, core: Core, taken: Value, held: Value, status: Value, enabled: Value
    ) -> Value:
        """What a read shows; returns whether it can be done."""
        good, at = Signal(name="can_read"), REGISTERS
        word, reads = Value.cast(core.o.payload), taken & ~self.wb_we
        rest = Signal(max(1, len(word) - 32), name="output")
        m.d.comb += core.o.ready.eq(held | (reads & (self.wb_adr == at["OUTPUT"])))
        with m.If(reads & (self.wb_adr == at["OUTPUT"]) & status[1]):
            m.d.sync += rest.eq(word[32:])
        values = {
            at["STATUS"]: status,
            at["SHAPE"]: C(self.i_parts | self.o_parts << 8, 32),
            at["IRQ_ENABLE"]: enabled,
            at["IRQ_PENDING"]: status & enabled,
            at["OUTPUT"]: word,
            **{at["OUTPUT"] + k: rest.word_select(k - 1, 32) for k in range(1, self.o_parts)},
        }
        with m.Switch(self.wb_adr):
            for address, value in values.items():
                with m.Case(address):
                    m.d.comb += good.eq(status[1] if address == at["OUTPUT"] else 1)
                    m.d.sync += self.wb_dat_o.eq(value)
        return good
