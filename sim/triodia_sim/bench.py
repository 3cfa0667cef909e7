"""The bench around an exported machine, in cocotb: it drives, takes and compares words."""

import random
from collections.abc import Iterable
from pathlib import Path

import cocotb
from cocotb.handle import SimHandleBase
from cocotb.triggers import Event, RisingEdge, Timer

from triodia_hw.machine.image import Image
from triodia_hw.machine.words import COUNTERS, INPUT_KINDS, OUTPUT_KINDS, READ_KINDS, read_bits

from .clock import set_reset
from .exercise import Action
from .monitor import RULES
from .scoreboard import Scoreboard
from .simulators import PERIOD_NS
from .state import compare_state, integer

__all__ = ["Bench", "integer"]

_ENOUGH = 5000  # wrong words
_RESTLESS = 500  # looks at the counters, 64 cycles apart, after which they should stand still
_REPORT_LAG = 8  # cycles at most between taking a read of the counters and the counts it shows


class Bench:
    """Drive and watch one machine; lets Python sleep while nothing is transferred.

    :meth:`run` performs actions as :mod:`.exercise` describes them. ``job`` gives ``stall``,
    ``seed``, ``state``, ``counts`` and ``progress``.
    """

    def __init__(self, dut: SimHandleBase, image: Image, job: dict) -> None:
        self.dut, self.image, self.job = dut, image, job
        self.board = Scoreboard(image)
        self.random = random.Random(job["seed"])
        self.stall = tuple(job["stall"])
        self.progress = Event()  # an end or the last word of a report came
        self.moves = 0  # words taken by either side: a machine that makes none is stuck
        self.ends: list[int] = []  # cycle of the end of each step
        self.label, self.events = (0, 0), []
        self.muted, self.resting = False, True
        self._shut = self._lag = None
        self.stray = False  # fields that do not count hold anything
        self._counts = dict.fromkeys(COUNTERS, 0)  # when they were compared last
        self._told = False  # a broken rule has been recorded

    def cycle(self) -> int:
        """Cycles since the start, by the monitor; later resets do not set it back.

        Another kind of machine starts otherwise: there, by its own counter.
        """
        dut = self.dut
        return integer(dut.monitor.total if self.job["counts"] else dut.cycles) or 0

    async def send(self, kind: str, **fields: int) -> None:
        """Offer an input word until it is taken."""
        dut = self.dut
        self.resting = False
        while self.random.random() < self.stall[0]:
            await RisingEdge(dut.clk)
        dut.i_kind.value = INPUT_KINDS[kind]
        for name in ("last", "source", "payload"):
            port = getattr(dut, f"i_{name}")
            other = self.random.getrandbits(len(port)) if self.stray else 0
            port.value = fields.get(name, other)
        dut.i_valid.value = 1
        await RisingEdge(dut.clk)
        while not integer(dut.i_ready):
            await RisingEdge(dut.i_ready)
            await RisingEdge(dut.clk)
        self.taken = integer(dut.monitor.cycle)
        dut.i_valid.value = 0
        self.moves += 1

    async def run(self, actions: Iterable[Action]) -> None:
        """Perform actions one after the other."""
        for name, *arguments in actions:
            await getattr(self, f"do_{name}")(*arguments)

    async def do_part(self, name: str) -> None:
        self.board.part = name
        self.label = (self.label[0], 0)

    async def do_event(self, channel: int, payload: int) -> None:
        self.events.append((channel, payload))
        await self.send("event", source=channel, payload=payload)

    async def do_end(self, last: bool) -> None:
        """End a step; in state mode, after the one before has been compared."""
        if self.job["state"]:
            await self.answered()
        self.board.expect_step(self.events, last, *self.label)
        self.label, self.events = (self.label[0], self.label[1] + 1), []
        await self.send("end", last=int(last))

    async def do_stray(self) -> None:
        self.stray = True

    async def do_read(self, what: str) -> None:
        self.board.expect_read(what)
        await self.ask(what)

    async def ask(self, what: str) -> None:
        """Send a read; only the low bits of its source count."""
        bits = read_bits(self.image.params)
        high = self.random.getrandbits(len(self.dut.i_source) - bits) if self.stray else 0
        await self.send("read", source=READ_KINDS[what] | high << bits)

    async def answered(self) -> None:
        """Until everything that was asked for has come."""
        while not self.board.done:
            self.progress.clear()
            await self.progress.wait()

    async def do_wait(self) -> None:
        """Until all has come, and then for as long as a late word could take."""
        await self.answered()
        await self.do_idle(64 + self.image.params.slots)
        self.check_rules()

    async def settled(self) -> None:
        """Until the counters stand still too: spikes walk their rows after their step ends."""
        await self.do_wait()
        names, seen = COUNTERS.keys() - {"cycles"}, None
        for _ in range(_RESTLESS):
            if seen == (seen := [integer(getattr(self.dut, name)) for name in names]):
                return
            await self.do_idle(64)
        self.board.differ(-1, "counters of an idle machine", "still", "moving", self.cycle())

    async def do_idle(self, cycles: int) -> None:
        self.resting = True
        await Timer(cycles * PERIOD_NS, unit="ns")
        await RisingEdge(self.dut.clk)
        self.resting, self.moves = False, self.moves + 1

    async def do_counters(self) -> None:
        """The ports, then a report, once the machine is idle."""
        await self.settled()
        counts = self.compare_counters()
        self.board.expect_report()
        await self.ask("counters")
        asked = self.taken
        await self.answered()
        halves = self.board.report
        got = {n: halves[2 * k] + (halves[2 * k + 1] << 16) for k, n in enumerate(COUNTERS)}
        lag = got.pop("cycles") - asked
        self._lag = lag if self._lag is None else self._lag
        if not 0 <= self._lag <= _REPORT_LAG or lag != self._lag:
            self.board.differ(-1, "report of cycles", asked, lag + asked, self.cycle())
        for name, value in got.items():
            self.board.counter(f"{name} in a report", counts[name] or 0, value, self.cycle())
        await self.do_wait()

    async def do_report(self) -> None:
        self.board.expect_report()
        await self.ask("counters")

    async def do_reported(self) -> None:
        """What a report of a busy machine shows lies between what was and what is."""
        now = {name: value or 0 for name, value in self.counters().items()}
        now["cycles"] = integer(self.dut.monitor.cycle)
        self.board.report_between(self._counts | {"cycles": self.taken}, now, self.cycle())

    def counters(self) -> dict[str, int | None]:
        """The counters at the ports; None where undefined."""
        return {name: integer(getattr(self.dut, name)) for name in COUNTERS}

    def compare_counters(self) -> dict[str, int | None]:
        """Compare an idle machine's counters with what was counted outside; returns them."""
        got, at = self.counters(), self.cycle()
        self.board.counters(got, at)
        stalls = integer(self.dut.monitor.stalls) or 0
        self.board.counter("output_stalls", stalls, got["output_stalls"], at)
        if (got["bus_stalls"] or 0) > (integer(self.dut.monitor.cycle) or 0):
            self.board.differ(-1, "counter bus_stalls", "no more", got["bus_stalls"], at)
        self._counts = {name: value or 0 for name, value in got.items()}
        return got

    async def do_pace(self, sender: float, receiver: float) -> None:
        self.stall = (sender, receiver)
        self.dut.o_ready.value = 1

    async def do_shut(self, cycles: int) -> None:
        """Take nothing from now; go on after some cycles."""

        async def reopen() -> None:
            await Timer(cycles * PERIOD_NS, unit="ns")
            if self._shut is mine:
                self.open()

        mine = self._shut = object()
        self.dut.o_ready.value = 0
        cocotb.start_soon(reopen())

    def open(self) -> None:
        """Take words again."""
        self._shut = None
        self.dut.o_ready.value = 1

    async def do_reset(self, cycles: int) -> None:
        """Reset; what the output still offers in the first cycles does not count."""
        dut, self.muted = self.dut, True
        set_reset(self.dut, True)
        for edge in range(max(cycles, 3)):
            await RisingEdge(dut.clk)
            if edge == cycles - 1:
                set_reset(self.dut, False)
        self.muted, self.events = False, []
        self.board.reset()
        self.board.events = self.board.operations = 0

    async def do_load(self, data: bytes, image: Image) -> None:
        """Load; unless the machine was idle, ``drain`` takes what it still has to say."""
        idle = self.board.done and not self.events
        for k, byte in enumerate(data):
            await self.send("load", last=int(k == len(data) - 1), source=byte)
        self.image, self.events = image, []
        if idle:
            self.board.load(image)

    async def do_drain(self) -> None:
        """Words that waited are the next ones of the earlier network, and all come now.

        Which events were lost cannot be known: counting starts anew.
        """
        while self._shut:
            await self.do_idle(64)
        await self.do_idle(64)
        got = self.counters()
        for name in ("events", "operations"):
            value = got[name] or 0
            if value > getattr(self.board, name) + self.most_of_a_step()[name]:
                self.board.differ(-1, f"counter {name}", "no more", value, self.cycle())
            setattr(self.board, name, value)
        self.board.load(self.image)

    def most_of_a_step(self) -> dict[str, int]:
        """Events and operations of the steps that were not over, at most."""
        p, most = self.image.params, 4 * (self.image.synapses + 999)
        return {"events": 4 * len(p.waits) * (p.inputs + p.neurons), "operations": most}

    async def watch(self) -> None:
        """Take output words and compare them, including those after the last step."""
        dut = self.dut
        dut.o_ready.value = 1
        while True:
            if not integer(dut.o_valid):
                await RisingEdge(dut.o_valid)
            await RisingEdge(dut.clk)
            if integer(dut.o_valid) and integer(dut.o_ready) and not self.muted:
                self.take()
            if self.stall[1] and not self._shut:
                dut.o_ready.value = int(self.random.random() >= self.stall[1])

    def take(self) -> None:
        """Compare the word on the output."""
        dut, board = self.dut, self.board
        steps, cycle = board.steps, self.cycle()
        value = integer(dut.o_value, signed=True)
        kind, last = integer(dut.o_kind), integer(dut.o_last)
        board.word(kind, last, integer(dut.o_source), value, cycle)
        self.moves += 1
        if board.steps > steps:
            self.ends.append(cycle)
            if self.job["state"]:
                compare_state(self.dut, self.image, self.board, cycle)
            if board.steps % 16 == 0:
                self.check_rules()
                Path(self.job["progress"]).write_text(str(board.steps))
        if kind == OUTPUT_KINDS["end"] or board.done:
            self.progress.set()

    def check_rules(self) -> None:
        """Record the first rule of the streams that was broken since reset."""
        monitor = self.dut.monitor
        broken = integer(monitor.broken)
        if broken and not self._told:
            self._told = True
            word, expected, got = RULES[integer(monitor.rule)]
            self.board.differ(-1, word, expected, got, integer(monitor.at))
            self.board.mismatches += broken - 1

    async def guard(self) -> None:
        """Return when nothing has moved for as long as the slowest step could take.

        Also when so many words are wrong that the machine talks without end.
        """
        p = self.image.params
        work = self.image.synapses + p.neurons + 8 * p.rows
        slow = 1 / (1 - max(*self.stall, 0.5))
        limit = int((1000 + 2 * work + self.job["patience"]) * slow) * PERIOD_NS
        moves = -1
        while self.moves > moves or self.resting:
            moves = self.moves
            await Timer(limit, unit="ns")
            if self.board.mismatches > _ENOUGH:
                return
        self.board.hang(self.cycle())
