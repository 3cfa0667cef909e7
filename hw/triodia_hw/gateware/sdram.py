"""SDRAM controller: opens rows ahead, reads bursts, writes single words, refreshes, tests."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..compile.sdram import ADDRESS_BITS, COLUMN_BITS, WORD_BITS, SdramTiming
from .signatures import SdramPins, SdramPort

__all__ = ["ACTIVATE", "NOTHING", "PRECHARGE", "READ", "REFRESH", "SET_MODE", "WRITE", "Sdram"]

# (ras_n, cas_n, we_n), lowest bit first
NOTHING, ACTIVATE, READ, WRITE = 0b111, 0b110, 0b101, 0b001
PRECHARGE, REFRESH, SET_MODE = 0b010, 0b100, 0b000

_ALL_BANKS = 1 << 10  # of a precharge's address
_BANKS = 4
_SEED = 0xACE1  # of the test pattern


def _mode(cas: int) -> int:
    """Mode register: bursts of a page, sequential, single writes."""
    return 1 << 9 | cas << 4 | 0b111


class Sdram(wiring.Component):
    """Serve a reader and a writer from an SDRAM: one word per cycle while rows are open in time.

    After the first reset the controller waits, sets the chip up, and writes and reads a test
    pattern, which drives every address and data line both ways. Then it serves the writer before
    the reader. While a burst runs, the next row is opened if it lies in another bank.

    Bits of an address, lowest first: column, bank, row. So pages that follow each other lie in
    different banks. A refresh that is due waits for the end of a burst. It also comes between
    reads and writes, which leaves the data lines time to turn around.

    Parameters
    ----------
    timing : least distances of commands. lines : address lines that are tested; None: there is no
        test.

    Members
    -------
    read : In(SdramPort). A word comes ``timing.latency`` cycles after the cycle that asks for it.
    write : In(stream.Signature(address, word)). pins : Out(SdramPins).
    word : Out(16). What the chip's data lines held.
    failed : Out(1). The test pattern was read back wrongly; stays.
    """

    def __init__(self, timing: SdramTiming, *, lines: int | None = ADDRESS_BITS) -> None:
        self.timing, self.lines = timing, lines
        item = data.StructLayout({"address": ADDRESS_BITS, "word": WORD_BITS})
        super().__init__({
            "read": In(SdramPort()),
            "write": In(stream.Signature(item)),
            "pins": Out(SdramPins()),
            "word": Out(WORD_BITS),
            "failed": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        t, pins = self.timing, self.pins
        booted = Signal()
        given = Signal()
        pause = Signal(range(max(t.power_up, t.refresh) + 1), init=t.power_up)
        boots = Signal(range(t.boot_refreshes + 1), init=t.boot_refreshes)
        m.d.comb += self.word.eq(pins.dq_i)
        m.d.sync += [pins.command.eq(NOTHING), pins.dq_oe.eq(0), pause.eq(pause - (pause != 0))]
        asked = self._request(m, given)
        banks = _Banks(m, t, asked.address)
        request = Signal.like(asked)  # looked at for a cycle: it is known whether its row is open
        acts = Signal()
        m.d.sync += [request.eq(asked), request.valid.eq(asked.valid & ~acts)]
        m.d.comb += [
            self.write.ready.eq(given & request.write & ~request.tests),
            self.read.ready.eq(given & ~request.write & ~request.tests),
        ]
        owed = self._refreshes(m, booted, pins.command)
        with m.FSM():
            with m.State("power up"):
                with m.If(pause == 0):
                    self._close(m, pause)
                    m.next = "closed"
            with m.State("closed"):
                with m.If(pause == 0):
                    m.d.sync += [pins.command.eq(REFRESH), pause.eq(t.refresh - 2)]
                    m.d.sync += boots.eq(boots - ~booted)
                    m.next = "refreshed"
            with m.State("refreshed"):
                with m.If(pause == 0):
                    with m.If(booted):
                        m.next = "serve"
                    with m.Elif(boots == 0):
                        m.next = "mode"
                    with m.Else():
                        m.next = "closed"
            with m.State("mode"):
                m.d.sync += [pins.command.eq(SET_MODE), pins.bank.eq(0)]
                m.d.sync += [pins.address.eq(_mode(t.cas)), pause.eq(t.mode - 2)]
                m.next = "set"
            with m.State("set"):
                with m.If(pause == 0):
                    m.d.sync += [booted.eq(1), pins.dqm.eq(0)]
                    m.next = "serve"
            with m.State("serve"):
                turned = request.valid & request.write & banks.reading
                with m.If(((owed != 0) | turned) & ~self.read.more):
                    with m.If(banks.idle):
                        m.d.comb += acts.eq(1)
                        self._close(m, pause)
                        m.d.sync += banks.closed()
                        m.next = "closed"
                with m.Elif(request.valid & ~turned):
                    self._serve(m, request, banks, given, acts)
        return m

    def _close(self, m: Module, pause: Signal) -> None:
        """Precharge all banks."""
        pins = self.pins
        m.d.sync += [pins.command.eq(PRECHARGE), pins.address.eq(_ALL_BANKS)]
        m.d.sync += [pause.eq(self.timing.precharge - 1), pins.cke.eq(1)]

    def _serve(
        self, m: Module, request: data.View, banks: "_Banks", given: Signal, acts: Signal
    ) -> None:
        """The command that brings the request on its way, or does it."""
        pins, more = self.pins, self.read.more
        with m.If(banks.ready & ~more):
            m.d.comb += [given.eq(1), acts.eq(1)]
            m.d.sync += [
                pins.command.eq(Mux(request.write, WRITE, READ)),
                pins.bank.eq(banks.bank),
                pins.address.eq(request.address[:COLUMN_BITS]),
                pins.dq_oe.eq(request.write),
                pins.dq_o.eq(request.word),
                *banks.used(request.write),
            ]
        with m.Elif(banks.other & ~(more & banks.streams)):
            m.d.comb += acts.eq(1)
            m.d.sync += [pins.command.eq(PRECHARGE), pins.bank.eq(banks.bank)]
            m.d.sync += pins.address.eq(0)
            banks.precharge(m)
        with m.Elif(banks.shut):
            m.d.comb += acts.eq(1)
            m.d.sync += [pins.command.eq(ACTIVATE), pins.bank.eq(banks.bank)]
            m.d.sync += pins.address.eq(banks.row)
            banks.activate(m)

    def _refreshes(self, m: Module, booted: Signal, command: Signal) -> Signal:
        """Refreshes that are due."""
        every = self.timing.refresh_every
        owed = Signal(4)
        if every:
            left = Signal(range(every), init=every - 1)
            due = Signal()
            m.d.comb += due.eq(booted & (left == 0))
            with m.If(booted):
                m.d.sync += left.eq(Mux(due, every - 1, left - 1))
            done = booted & (command == REFRESH) & (owed != 0)
            m.d.sync += owed.eq(owed + due - done)
        return owed

    def _request(self, m: Module, given: Signal) -> data.View:
        """What is asked for: by the test, else the writer, else the reader."""
        layout = {"valid": 1, "write": 1, "tests": 1, "address": ADDRESS_BITS, "word": WORD_BITS}
        request = Signal(data.StructLayout(layout))
        read, write = self.read, self.write
        testing = Signal(init=self.lines is not None)
        if self.lines is not None:
            self._test(m, request, given, testing)
        with m.If(~testing):
            m.d.comb += [
                request.valid.eq(write.valid | read.valid),
                request.write.eq(write.valid),
                request.address.eq(Mux(write.valid, write.p.address, read.address)),
                request.word.eq(write.p.word),
            ]
        return request

    def _test(self, m: Module, request: data.View, given: Signal, testing: Signal) -> None:
        """Write a pattern to addresses that differ from all ones in a line each; read it back."""
        line = Signal(self.lines + 1, init=1)
        word = Signal(WORD_BITS, init=_SEED)
        checks = Signal()
        asked = Signal()
        left = Signal(range(self.timing.latency))
        then = word
        for by in (7, -9, 8):  # Marsaglia's xorshift of 16 bits
            then = (then ^ (then << by if by > 0 else then >> -by))[:WORD_BITS]
        with m.If(testing):
            m.d.comb += [
                request.tests.eq(1),
                request.valid.eq(~asked),
                request.write.eq(~checks),
                request.address.eq(~line[: self.lines]),
                request.word.eq(word),
            ]
        m.d.sync += left.eq(left - 1)
        with m.If(given & checks & testing):
            m.d.sync += [asked.eq(1), left.eq(self.timing.latency - 1)]
        over = asked & (left == 0)
        with m.If(over):
            m.d.sync += [asked.eq(0), self.failed.eq(self.failed | (self.word != word))]
        with m.If(over | (given & ~checks & testing)):
            m.d.sync += [line.eq(line << 1), word.eq(then)]
            with m.If(line[-1]):
                m.d.sync += [line.eq(1), word.eq(_SEED), checks.eq(1), testing.eq(~checks)]


class _Banks:
    """What is known of the banks, and of the one at ``address`` in the cycle before.

    ``ready``: its row is open. ``other``: another row of its bank is open, and may be closed.
    ``shut``: none is, and it may be opened. ``streams``: the last burst is of this bank.
    ``idle``: all banks may be closed. ``reading``: a burst of reads may still run.
    """

    def __init__(self, m: Module, t: SdramTiming, address: Value) -> None:
        self.timing = t
        bank, row = address[COLUMN_BITS : COLUMN_BITS + 2], address[COLUMN_BITS + 2 :]
        self.bank, self.row = Signal(2), Signal(len(row))
        m.d.sync += [self.bank.eq(bank), self.row.eq(row)]
        self._open = Signal(_BANKS)
        self._rows = Array(Signal(len(self.row), name=f"row_{k}") for k in range(_BANKS))
        # Cycles until a bank may be closed; until it may be read or, if it is closed, opened.
        holds = [Signal(range(max(t.activate_to_precharge, t.write_recovery))) for _ in range(4)]
        waits = [Signal(range(max(t.activate_to_read, t.precharge))) for _ in range(4)]
        self._holds, self._waits = Array(holds), Array(waits)
        self._apart = Signal(range(t.between_banks))
        self.reading = Signal()
        self._last = Signal(2)
        for left in (*holds, *waits, self._apart):
            m.d.sync += left.eq(left - (left != 0))
        opened, same = Signal(), Signal()
        m.d.sync += [opened.eq(self._open.bit_select(bank, 1)), same.eq(self._rows[bank] == row)]
        waited = self._waits[self.bank] == 0
        self.ready = opened & same & waited
        self.other = opened & ~same & (self._holds[self.bank] == 0)
        self.shut = ~opened & waited & (self._apart == 0)
        self.streams = self._last == self.bank
        self.idle = ~Cat(left != 0 for left in holds).any()

    def closed(self) -> list:
        """All banks are closed."""
        return [self._open.eq(0), self.reading.eq(0)]

    def used(self, write: Value) -> list:
        """A word was read or written."""
        hold, recovery = self._holds[self.bank], self.timing.write_recovery
        later = Mux(hold > recovery - 1, hold - 1, recovery - 1)
        return [
            self.reading.eq(~write),
            self._last.eq(self.bank),
            hold.eq(Mux(write, later, hold - (hold != 0))),
        ]

    def precharge(self, m: Module) -> None:
        """The bank is closed."""
        m.d.sync += self._open.bit_select(self.bank, 1).eq(0)
        m.d.sync += self._waits[self.bank].eq(self.timing.precharge - 1)

    def activate(self, m: Module) -> None:
        """The row is opened."""
        t = self.timing
        m.d.sync += [
            self._open.bit_select(self.bank, 1).eq(1),
            self._rows[self.bank].eq(self.row),
            self._waits[self.bank].eq(t.activate_to_read - 1),
            self._holds[self.bank].eq(t.activate_to_precharge - 1),
            self._apart.eq(t.between_banks - 1),
        ]
