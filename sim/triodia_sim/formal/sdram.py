"""Commands to an SDRAM: none too early, none to a bank in the wrong state, refreshes in time."""

from amaranth import *
from amaranth.hdl import Assert, Cover
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from triodia_hw.compile.sdram import COLUMN_BITS, SdramTiming
from triodia_hw.gateware.sdram import (
    ACTIVATE,
    NOTHING,
    PRECHARGE,
    READ,
    REFRESH,
    SET_MODE,
    WRITE,
    Sdram,
)

__all__ = ["SHORT", "Commands"]

# Short times, all different in kind, so that a proof reaches every wait in few cycles.
SHORT = SdramTiming(
    activate_to_read=3,
    precharge=2,
    activate_to_precharge=4,
    refresh=3,
    between_banks=2,
    write_recovery=3,
    mode=2,
    refresh_every=14,
    power_up=2,
    cas=2,
    boot_refreshes=1,
)
_BURST = 3  # words of a burst, at most


class Commands(wiring.Component):
    """An :class:`Sdram` between any reader and any writer, who keep what they ask for.

    The rules are those of the chip with the times ``rules``; the controller knows ``timing``. A
    read or write goes to the bank and row that was opened for it. A bank is not closed while its
    burst runs. Data lines are driven for writes only, and not while the chip may drive them.
    """

    def __init__(self, timing: SdramTiming = SHORT, rules: SdramTiming = SHORT) -> None:
        self.timing, self.rules = timing, rules
        super().__init__({
            "reads": In(1),
            "writes": In(1),
            "address": In(4),  # a column, a bank, a row: more bits change nothing
            "length": In(range(_BURST)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = Sdram(self.timing, lines=None)
        left = Signal(range(_BURST))
        one = self.address
        address = Signal(24)
        m.d.comb += address.eq(Cat(one[0], C(0, COLUMN_BITS - 1), one[1:3], one[3]))
        reads, writes = (Signal.like(address, name=f"{name}_address") for name in ("r", "w"))
        valid = [Signal(name=f"{name}_valid") for name in ("r", "w")]
        m.d.sync += [valid[0].eq(self.reads), valid[1].eq(self.writes), reads.eq(address)]
        m.d.sync += writes.eq(address)
        for port, kept, held in ((dut.read, valid[0], reads), (dut.write, valid[1], writes)):
            with m.If(kept & ~port.ready):
                m.d.sync += [kept.eq(1), held.eq(held)]
        with m.If(dut.read.valid & dut.read.ready):
            m.d.sync += left.eq(self.length)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        m.d.comb += [
            dut.read.valid.eq(valid[0]),
            dut.read.more.eq(left != 0),
            dut.read.address.eq(reads),
            dut.write.valid.eq(valid[1]),
            dut.write.p.address.eq(writes),
            Assert(~(dut.read.ready & dut.read.more)),
        ]
        opened = [self._bank(m, dut, k, left) for k in range(4)]
        self._whole(m, dut, Cat(opened))
        self._rows(m, dut, reads)
        self._lines(m, dut)
        return m

    def _since(self, m: Module, event: Value, most: int, name: str) -> Signal:
        """Cycles since ``event``, ``most`` at most."""
        passed = Signal(range(most + 1), init=most, name=name)
        with m.If(event):
            m.d.sync += passed.eq(1)
        with m.Elif(passed != most):
            m.d.sync += passed.eq(passed + 1)
        return passed

    def _bank(self, m: Module, dut: Sdram, k: int, left: Signal) -> Signal:
        """Rules of one bank; whether it is open."""
        t, pins = self.rules, dut.pins
        mine, command = pins.bank == k, pins.command
        opened = Signal(name=f"open_{k}")
        activate = (command == ACTIVATE) & mine
        close = (command == PRECHARGE) & (mine | pins.address[10])
        write = (command == WRITE) & mine
        whole = t.activate_to_precharge + t.precharge
        activated = self._since(m, activate, whole, f"activated_{k}")
        closed = self._since(m, close & opened, t.precharge, f"closed_{k}")
        written = self._since(m, write, t.write_recovery, f"written_{k}")
        with m.If(activate):
            m.d.sync += opened.eq(1)
            m.d.comb += Assert(~opened)
            m.d.comb += Assert((activated == whole) & (closed == t.precharge))
        with m.If(close):
            m.d.sync += opened.eq(0)
            m.d.comb += Assert(~opened | (activated >= t.activate_to_precharge))
            m.d.comb += Assert(written == t.write_recovery)
        with m.If(write | ((command == READ) & mine)):
            m.d.comb += Assert(opened & (activated >= t.activate_to_read))
        with m.If((command == REFRESH) | (command == SET_MODE)):
            m.d.comb += Assert(closed == t.precharge)
        return opened

    def _whole(self, m: Module, dut: Sdram, opened: Value) -> None:
        """Rules of the whole chip."""
        t, command = self.rules, dut.pins.command
        some = self._since(m, command == ACTIVATE, t.between_banks, "some_activated")
        refreshed = self._since(m, command == REFRESH, t.refresh, "refreshed")
        mode = self._since(m, command == SET_MODE, t.mode, "mode_set")
        ready = Signal()
        with m.If(command == SET_MODE):
            m.d.sync += ready.eq(1)
        with m.If(command == ACTIVATE):
            m.d.comb += Assert(ready & (some == t.between_banks))
        with m.If((command == REFRESH) | (command == SET_MODE)):
            m.d.comb += Assert(opened == 0)
        with m.If(command != NOTHING):
            m.d.comb += Assert((refreshed == t.refresh) & (mode == t.mode))
        late = Signal(8)  # cycles since the last refresh
        with m.If((command == REFRESH) | ~ready):
            m.d.sync += late.eq(0)
        with m.Else():
            m.d.sync += late.eq(late + 1)
        m.d.comb += Assert(late <= 2 * t.refresh_every)
        twice = Signal(range(3))
        with m.If(ready & (command == REFRESH) & (twice != 2)):
            m.d.sync += twice.eq(twice + 1)
        m.d.comb += Cover(twice == 1)

    def _rows(self, m: Module, dut: Sdram, address: Signal) -> None:
        """A burst comes from the row that was opened; its bank stays open until it is over."""
        pins, asked = dut.pins, Signal(24)
        rows = Array(Signal(13, name=f"opened_row_{k}") for k in range(4))
        began, more = Signal(), Signal()
        m.d.sync += [asked.eq(address), began.eq(dut.read.valid & dut.read.ready)]
        m.d.sync += more.eq(dut.read.more)
        reading = Signal(2)
        with m.If(pins.command == ACTIVATE):
            m.d.sync += rows[pins.bank].eq(pins.address)
        with m.If(began):
            m.d.sync += reading.eq(pins.bank)
            m.d.comb += Assert(pins.command == READ)
            m.d.comb += Assert(Cat(pins.address[:COLUMN_BITS], pins.bank, rows[pins.bank]) == asked)
        closes = (pins.command == PRECHARGE) & (pins.address[10] | (pins.bank == reading))
        m.d.comb += Assert(~(more & (closes | (pins.command == WRITE))))
        m.d.comb += Cover(more & (pins.command == PRECHARGE))

    def _lines(self, m: Module, dut: Sdram) -> None:
        """The data lines have one driver: the chip, up to CAS cycles after a burst was ended."""
        pins, t = dut.pins, self.rules
        burst = Signal()
        drives = Signal(t.cas)
        ends = (pins.command == PRECHARGE) & pins.address[10]
        with m.If(pins.command == READ):
            m.d.sync += burst.eq(1)
        with m.Elif(ends):
            m.d.sync += burst.eq(0)
        m.d.sync += drives.eq(Cat((burst & ~ends) | (pins.command == READ), drives))
        m.d.comb += [
            Assert(pins.dq_oe == (pins.command == WRITE)),
            Assert(~(pins.dq_oe & (drives.any() | burst))),
            Cover(pins.dq_oe),
        ]
