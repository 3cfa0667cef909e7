# amaranth: UnusedElaboratable=no
"""The machine over its serial line, with the host's own session on the other end."""

import random

import pytest

from tests.support.bench import simulate
from tests.support.networks import random_events, random_image
from triodia.host.session import Session
from triodia.host.words import StepReader, Words
from triodia_boards.link.serial_core import SerialCore
from triodia_hw.compile.contents import contents
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.reference import Reference

DIVISOR = 4
CYCLE = 1e-4  # seconds that the session takes a clock cycle to last


def core(image, divisor=DIVISOR):
    welcome = Welcome(image.params, 1_000_000, True, "bench", "0")
    return SerialCore(image.params, contents(image), divisor=divisor, welcome=welcome, depth=256)


class Host:
    """Runs a session bit by bit; ``loss`` is the chance that a byte to the board is changed."""

    def __init__(self, image, loss):
        self.image, self.dut, self.loss = image, core(image), loss
        self.chance, self.words = random.Random(1), Words(image.params)
        self.session, self.cycle, self.waited = Session(0x1234, 0.0), 0, False
        self.line = bytearray()  # to the board
        self.results = []

    async def tick(self, ctx, count=1):
        for _ in range(count):
            await ctx.tick()
            self.cycle += 1
            self.waited |= bool(ctx.get(self.dut.waiting))

    async def send(self, ctx):
        while not self.done:
            if not self.line:
                now = self.cycle * CYCLE
                greet = self.session.welcome is None
                self.line += (
                    self.session.hello()
                    if greet
                    else self.session.output(now, waiting=len(self.results) < self.expect)
                )
            byte = self.line.pop(0) if self.line else None
            if byte is None:
                await ctx.tick().repeat(40)
                continue
            if self.chance.random() < self.loss:
                byte ^= self.chance.randrange(1, 256)
            for bit in (0, *((byte >> k) & 1 for k in range(8)), 1):
                ctx.set(self.dut.rx, bit)
                await ctx.tick().repeat(DIVISOR)

    async def receive(self, ctx):
        reader = StepReader(self.image)
        while not self.done:
            while ctx.get(self.dut.tx):
                if self.done:
                    return
                await self.tick(ctx)
            await self.tick(ctx, DIVISOR // 2)
            bits = []
            for _ in range(9):
                await self.tick(ctx, DIVISOR)
                bits.append(ctx.get(self.dut.tx))
            assert bits[8] == 1  # stop bit
            byte = sum(bit << k for k, bit in enumerate(bits[:8]))
            self.session.feed(bytes([byte]), self.cycle * CYCLE)
            while len(self.session.received) >= self.words.out_bytes:
                step = reader.take(self.words.first(self.session.received))
                self.results += [step] if step else []

    @property
    def done(self):
        return len(self.results) == self.expect

    def run(self, steps):
        """Results of ``steps``."""
        self.expect = len(steps)
        for events, last in steps:
            self.session.send(self.words.step(events, last))
        simulate(self.dut, self.send, self.receive, timeout=1_000_000)
        return self.results


@pytest.mark.parametrize("loss", [0.0, 0.02])
@pytest.mark.parametrize(
    "case",
    [
        {"lanes": 1},
        {"lanes": 2, "payload_bits": 1, "synaptic": True},
        pytest.param({"lanes": 1, "adaptive": True}, marks=pytest.mark.slow),
    ],
)
def test_equals_reference(case, loss):
    image = random_image(1, **case)
    reference = Reference(image)
    steps = [(events, t == 2) for t, events in enumerate(random_events(image, 4, 2))]
    host, spikes = Host(image, loss), 0
    for (events, last), got in zip(steps, host.run(steps), strict=True):
        want = reference.step(events, last=last)
        assert got.spikes.tolist() == want.spikes.tolist()
        assert got.readouts.tolist() == want.readouts.tolist()
        assert got.last == last
        spikes += len(want.spikes)
    assert spikes > 5
    assert Welcome.decode(host.session.welcome).params == image.params
    assert host.waited  # words come faster than the line takes them
    assert loss == 0 == host.session.bad or host.session.repeats


def test_divisor():
    with pytest.raises(ValueError, match=r"^divisor must be at least 4, not 3$"):
        core(random_image(1, lanes=1), divisor=3)
