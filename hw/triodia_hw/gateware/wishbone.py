"""The machine as a slave on a Wishbone bus."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import input_fields, output_fields, width_of
from .core import Core
from .units import Units
from .wrappers import hold_reset

__all__ = ["INPUT", "OUTPUT", "SHAPE", "STATUS", "WishboneTop", "parts"]

# Registers, by their address in words of 32 bits.
STATUS, SHAPE, INPUT, OUTPUT = 0, 1, 4, 8
_PARTS = 4  # registers of a word at most


def parts(width: int) -> int:
    """Registers of 32 bits that a word takes; ``ValueError`` if it has more than there are."""
    count = -(-width // 32)
    if count > _PARTS:
        raise ValueError(f"a word must have at most {32 * _PARTS} bits, not {width}")
    return count


class WishboneTop(wiring.Component):
    """:class:`Core` as a Wishbone B4 slave (OpenCores), 32 bits, for classic and pipelined cycles.

    A request is taken in a cycle in which ``cyc`` and ``stb`` are high and ``stall`` is low, and
    ended in the next one by ``ack``, or by ``err``: then nothing was done. Never both, and never
    later, so the bus does not wait for the machine. While a request ends no other one is taken:
    a classic master still has ``stb`` high then.

    Registers, by address in words:

    - 0 status. Read: bit 0, there is room for an input word; bit 1, an output word is there.
      Write: bit 0 resets the machine; both bits stay 0 until that is done.
    - 1 shape. Read: registers of an input word in bits 0 to 7, of an output word in bits 8 to 15.
    - 4 to 7 input word, lowest bits in 4. Writing 4 sends it, with what was written to the others
      before; ``err`` if there is no room: send it again, and no other one before it was taken.
    - 8 to 11 output word, lowest bits in 8. Reading 8 takes it off the stream, and the others show
      the rest of the word that was taken last; ``err`` if none is there.

    ``err`` also for an address or a direction that is not listed, and for a write without all of
    ``sel``.

    Members
    -------
    clk, rst : In(1). ``rst`` is high for at least a cycle, and may come at any time.
    wb_cyc, wb_stb, wb_we : In(1). wb_adr : In(4). wb_sel : In(4). wb_dat_i : In(32).
    wb_dat_o : Out(32). wb_ack, wb_err, wb_stall : Out(1).
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
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        machine = Core(self.p, contents=self.contents, units=self.units)
        core = self.units.add(m, "core", machine)
        again, done, failed, taken, good = (
            Signal(name=name) for name in "again done failed taken good".split()
        )
        held = hold_reset(m, core, self.rst | again)
        m.d.comb += [
            clock.clk.eq(self.clk),
            # A request that ends is over if its master has gone away.
            self.wb_ack.eq(done & self.wb_cyc),
            self.wb_err.eq(failed & self.wb_cyc),
            self.wb_stall.eq(done | failed),
            taken.eq(self.wb_cyc & self.wb_stb & ~self.wb_stall & ~self.rst),
        ]
        can_write = self._write(m, core, taken, again, held) & self.wb_sel.all()
        can_read = self._read(m, core, taken, held)
        m.d.comb += good.eq(Mux(self.wb_we, can_write, can_read))
        m.d.sync += [done.eq(taken & good), failed.eq(taken & ~good)]
        return m

    def _write(self, m: Module, core: Core, taken: Value, again: Signal, held: Value) -> Value:
        """What a write does; returns whether it can be done."""
        good = Signal(name="can_write")
        room = core.i.ready & ~held
        writes = taken & self.wb_we & self.wb_sel.all()
        rest = [Signal(32, name=f"input_{k}") for k in range(1, self.i_parts)]
        m.d.comb += Value.cast(core.i.payload).eq(Cat(self.wb_dat_i, *rest))
        m.d.sync += again.eq(writes & (self.wb_adr == STATUS) & self.wb_dat_i[0])
        with m.Switch(self.wb_adr):
            with m.Case(STATUS):
                m.d.comb += good.eq(1)
            with m.Case(INPUT):
                m.d.comb += [good.eq(room), core.i.valid.eq(writes & ~held)]
            for k, part in enumerate(rest, start=1):
                with m.Case(INPUT + k):
                    m.d.comb += good.eq(1)
                    with m.If(writes):
                        m.d.sync += part.eq(self.wb_dat_i)
        return good

    def _read(self, m: Module, core: Core, taken: Value, held: Value) -> Value:
        """What a read shows; returns whether it can be done."""
        good = Signal(name="can_read")
        word = Value.cast(core.o.payload)
        there, reads = core.o.valid & ~held, taken & ~self.wb_we
        rest = Signal(max(1, len(word) - 32), name="output")
        m.d.comb += core.o.ready.eq(held | (reads & (self.wb_adr == OUTPUT)))
        with m.Switch(self.wb_adr):
            with m.Case(STATUS):
                m.d.comb += good.eq(1)
                m.d.sync += self.wb_dat_o.eq(Cat(core.i.ready & ~held, there))
            with m.Case(SHAPE):
                m.d.comb += good.eq(1)
                m.d.sync += self.wb_dat_o.eq(self.i_parts | self.o_parts << 8)
            with m.Case(OUTPUT):
                m.d.comb += good.eq(there)
                m.d.sync += self.wb_dat_o.eq(word)
                with m.If(reads & there):
                    m.d.sync += rest.eq(word[32:])
            for k in range(1, self.o_parts):
                with m.Case(OUTPUT + k):
                    m.d.comb += good.eq(1)
                    m.d.sync += self.wb_dat_o.eq(rest.word_select(k - 1, 32))
        return good
