# amaranth: UnusedElaboratable=no
"""Link and its model side by side, for tests and mutants."""

import random

from amaranth.hdl import Value

from tests.support.networks import random_image
from triodia_hw.gateware.link.link import Link
from triodia_hw.gateware.link.words import bytes_of_word
from triodia_hw.link.frame import BoardFrame, Kind, split_frames
from triodia_hw.link.model import BoardModel
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.words import INPUT_KINDS, input_fields, output_fields, pack, width_of

__all__ = ["IN", "OUT", "ROOM", "WELCOME", "Bench", "P"]

P = random_image(1, lanes=2).params
IN, OUT = input_fields(P), output_fields(P)
WELCOME = Welcome(P, 25_000_000, True, "test-board", "0.1")
ROOM = 256


class Bench:
    """Link and model side by side; the test plays the machine.

    The two cut the stream to the host into frames differently, so the bench compares each byte with
    its position, and the last value of every other field.
    """

    def __init__(self, dut=None):
        self.dut = dut or Link(P, WELCOME, depth=ROOM)
        self.model = BoardModel(WELCOME.encode(), ROOM)
        self.line, self.taken = bytearray(), []
        self.take, self.held, self.resets = 0, None, 0
        self.chance, self.ready, self.silent = random.Random(2), 1.0, 0
        link = self.dut
        self.watched = (
            link.machine_reset,
            link.words.valid & link.words.ready,
            Value.cast(link.words.payload),
            link.o.valid,
            link.o.ready,
            link.o.payload,
        )
        self.in_bytes = bytes_of_word(width_of(input_fields(P)))
        self.out_bytes = bytes_of_word(width_of(output_fields(P)))

    async def tick(self, ctx):
        dut = self.dut
        ctx.set(dut.words.ready, self.take > 0)
        ctx.set(dut.o.ready, self.chance.random() < self.ready)
        *_, reset, valid, word, out, ready, byte = await ctx.tick().sample(*self.watched)
        assert not (reset and valid)
        if self.silent and not reset:
            self.last_reset = self.silent
        self.silent = self.silent + 1 if reset else 0
        if valid:
            self.take -= 1
            self.taken.append(word)
        if out and ready:
            self.line.append(byte)

    async def send(self, ctx, data, gap=None):
        """Bytes of a line; ``gap``: idle cycles between them, by default not always the same."""
        for byte in data:
            ctx.set(self.dut.i.payload, byte)
            ctx.set(self.dut.i.valid, 1)
            await self.tick(ctx)
            ctx.set(self.dut.i.valid, 0)
            for _ in range(gap or self.chance.choice([3, 4, 5, 5, 8])):
                await self.tick(ctx)

    async def settle(self, ctx):
        """Wait until nothing has moved for longer than any pause between two frames."""
        quiet, size, cycles = 0, 0, 0
        while quiet < 300:
            await self.tick(ctx)
            cycles += 1
            assert cycles < 20_000, "it never ends"
            moved = len(self.line) + len(self.taken)
            quiet = quiet + 1 if moved == size else 0
            size = moved

    async def pause(self, ctx, words):
        """Until the machine has all of so many words."""
        for _ in range(40 * words):
            if self.take == 0:
                return
            await self.tick(ctx)
        raise AssertionError("words are missing")

    async def compare(self, ctx, late=0):
        """``late``: bytes the machine may have taken since the last frame was begun."""
        await self.settle(ctx)
        if self.model.resets != self.resets:
            self.resets, self.held = self.model.resets, None
        self.gather()
        got = [BoardFrame.decode(code) for code in split_frames(self.line)]
        want = []
        while (frame := self.model.send()) is not None:
            want.append(frame)
        assert not self.line
        assert bool(got) == bool(want)
        assert summary(got) == summary(want)
        if got:  # it may have been said before a word went to the machine
            assert (want[-1].limit - got[-1].limit) % (1 << 16) <= self.in_bytes + late
        return got

    async def put(self, ctx, word):
        """Let the machine send a word, for which there is room."""
        dut = self.dut
        ctx.set(Value.cast(dut.results.payload), word)
        ctx.set(dut.results.valid, 1)
        for _ in range(5_000):
            ready = ctx.get(dut.results.ready)
            await self.tick(ctx)
            if ready:
                break
        assert ready, "no room for a word"
        ctx.set(dut.results.valid, 0)
        data = word.to_bytes(self.out_bytes, "little")
        assert self.model.put(data) == self.out_bytes

    async def words(self, ctx, count):
        """Let the machine take ``count`` words."""
        before = len(self.taken)
        self.take = count
        await self.settle(ctx)
        for word in self.taken[before:]:
            assert word == self.held
            self.held = None
            self.gather()
        assert self.take == 0 or self.held is None
        self.take = 0

    def gather(self):
        """As the gateware: one word waits in front of the machine, its bytes taken already."""
        while self.held is None and self.model.inbox:
            byte, load = self.model.take(1)[0]
            if load:
                load = {"kind": INPUT_KINDS["load"], "last": 0, "source": byte, "payload": 0}
                self.held = pack(IN, load)
            else:
                rest = bytes(byte for byte, _ in self.model.take(self.in_bytes - 1))
                word = int.from_bytes(bytes([byte]) + rest, "little")
                self.held = word % (1 << width_of(IN))


def summary(frames):
    """Bytes with their positions, in order without duplicates; last header; any flag."""
    if not frames:
        return None
    body = {}
    for f in frames:
        if f.kind == Kind.WORDS:
            body |= {(f.seq + k) % (1 << 16): byte for k, byte in enumerate(f.payload)}
    last = frames[-1]
    hello = [f.payload for f in frames if f.kind == Kind.HELLO]
    refused = any(f.refused for f in frames)
    return (body, hello, refused, last.session, last.ack)
