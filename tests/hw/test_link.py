# amaranth: UnusedElaboratable=no
"""The board's side of the link against its model, frame by frame."""

import random

import pytest
from amaranth.hdl import Value

from tests.support.bench import simulate
from tests.support.networks import random_image
from triodia_hw.gateware.link.link import Link
from triodia_hw.gateware.link.words import bytes_of_word
from triodia_hw.link.frame import BoardFrame, HostFrame, Kind, split_frames
from triodia_hw.link.model import BoardModel
from triodia_hw.link.welcome import LINK_VERSION, BadWelcome, Welcome
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import (
    INPUT_KINDS,
    input_fields,
    output_fields,
    pack,
    unpack,
    width_of,
)

P = random_image(1, lanes=2).params
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


IN = input_fields(P)


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


def test_a_session():
    session()


def session(dut=None):
    """Hello, words in, words out, acknowledged; by hand."""
    bench = Bench(dut)
    word = {"kind": INPUT_KINDS["end"], "last": 1, "source": 0, "payload": 0}
    data = pack(IN, word).to_bytes(bench.in_bytes, "little")

    async def run(ctx):
        await bench.tick(ctx)
        assert ctx.get(bench.dut.machine_reset) and not ctx.get(bench.dut.open)
        await bench.send(ctx, HostFrame(Kind.HELLO, 7).encode())
        await bench.settle(ctx)
        assert not ctx.get(bench.dut.machine_reset) and ctx.get(bench.dut.open)
        await bench.send(ctx, HostFrame(Kind.WORDS, 7, payload=data).encode())
        bench.take = 1
        await bench.settle(ctx)
        assert [unpack(IN, taken) for taken in bench.taken] == [word]
        bench.model.put(b"")
        await bench.put(ctx, 0x12345)
        await bench.settle(ctx)
        frames = [BoardFrame.decode(code) for code in split_frames(bench.line)]
        assert [f.kind for f in frames[:2]] == [Kind.HELLO, Kind.WORDS]
        assert Welcome.decode(frames[0].payload) == WELCOME
        assert (frames[1].ack, frames[1].session) == (len(data), 7)
        assert frames[-1].limit == len(data) + ROOM - 4
        body = b"".join(f.payload for f in frames[1:])
        # Another session resets the machine for as long as words from before may come.
        await bench.send(ctx, HostFrame(Kind.HELLO, 8).encode())
        await bench.settle(ctx)
        assert bench.last_reset == 17
        assert body == (0x12345).to_bytes(bench.out_bytes, "little")

    simulate(bench.dut, run)


def disturbed(line, chance):
    """A line with a byte changed, lost or doubled."""
    data, at = bytearray(line), chance.randrange(len(line))
    match chance.randrange(3):
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            del data[at]
        case 2:
            data.insert(at, data[at])
    return bytes(data)


class Chance:
    """Frames as a host sends them, and as no host should."""

    def __init__(self, seed, bench):
        self.chance, self.m, self.bench = random.Random(seed), bench.model, bench

    def frame(self):
        c, m = self.chance, self.m
        if not m.session and c.random() < 0.5:
            return HostFrame(Kind.HELLO, 7)
        kind = c.choices([Kind.HELLO, Kind.WORDS, Kind.LOAD], [1, 8, 8])[0]
        session = m.session if c.random() < 0.9 else c.choice([0, 0x100, 0x2FF, 7])
        seq = m.received + c.choices([0, -3, 5, 40_000], [12, 1, 1, 1])[0]
        high = len(m.outbox)
        ack = m.acked + c.choice([0, m.sent, c.randint(0, high), high + 1, -5, 30_000])
        size = c.choice([0, 0, 1, 2, 11, 37, 112])
        if kind != Kind.LOAD:
            size -= size % self.bench.in_bytes
        payload = c.randbytes(size)
        again = c.random() < 0.3
        return HostFrame(kind, session, seq % (1 << 16), ack % (1 << 16), again, payload)

    def line(self):
        line = self.frame().encode()
        return disturbed(line, self.chance) if self.chance.random() < 0.2 else line


@pytest.mark.parametrize("seed", range(2))
def test_equals_its_model(seed):
    like_its_model(seed)


def like_its_model(seed, dut=None):
    """Frames of any kind, on a clean line and a bad one, while the machine takes and sends."""
    bench = Bench(dut)
    chance = Chance(seed, bench)
    seen = {"refused": 0, "frames": 0, "words": 0}

    async def run(ctx):
        for _ in range(32):
            line = chance.line()
            if not line.endswith(b"\0") or line == b"\0":
                line += b"\0"
            await bench.send(ctx, line)
            for code in split_frames(bytearray(line)):
                bench.model.receive(code)
            got = await bench.compare(ctx)
            seen["frames"] += len(got)
            seen["refused"] += any(f.refused for f in got)
            if bench.model.session:
                for _ in range(chance.chance.randrange(4)):
                    if len(bench.model.outbox) + bench.out_bytes <= ROOM:
                        word = chance.chance.randrange(1 << width_of(output_fields(P)))
                        await bench.put(ctx, word)
                await bench.compare(ctx)
                await bench.words(ctx, chance.chance.choice([0, 1, 5, 200]))
                await bench.compare(ctx, late=ROOM)
        seen["words"] = len(bench.taken)

    simulate(bench.dut, run, timeout=1_000_000)
    assert seen["refused"] > 4 and seen["frames"] > 25 and seen["words"] > 50


def test_long_session():
    long_session(1_000)


def long_session(size, dut=None):
    """Words of ``size`` bytes both ways, at a pace, so that positions wrap past 64 KiB."""
    bench, chance = Bench(dut), random.Random(5)
    sent = []

    async def run(ctx):
        await bench.send(ctx, HostFrame(Kind.HELLO, 0x5A3).encode())
        bench.model.receive(HostFrame(Kind.HELLO, 0x5A3).encode()[:-1])
        await bench.compare(ctx)
        while len(sent) * bench.in_bytes < size:
            words = [chance.randrange(1 << width_of(IN)) for _ in range(112 // bench.in_bytes)]
            payload = b"".join(word.to_bytes(bench.in_bytes, "little") for word in words)
            m = bench.model
            again = chance.random() < 0.1
            seq, ack = m.received % (1 << 16), (m.acked + m.sent) % (1 << 16)
            code = HostFrame(Kind.WORDS, 0x5A3, seq, ack, again, payload).encode()
            bench.take = len(words)
            await bench.send(ctx, code, gap=3)
            m.receive(code[:-1])
            while m.inbox:
                m.take(1)
            await bench.pause(ctx, len(words))
            sent.extend(words)
            for _ in range(120 // bench.out_bytes):
                await bench.put(ctx, chance.randrange(1 << width_of(output_fields(P))))
            await bench.compare(ctx, late=ROOM)
        assert bench.taken == sent

    simulate(bench.dut, run, timeout=20 * size + 50_000)


def test_welcome():
    other = {"synaptic": True, "adaptive": True, "reset": "value", "fires": "above"}
    delayed = MachineParams(inputs=3, neurons=1, lanes=1, delays=(1, 40, 63))
    for p in (P, MachineParams(inputs=1 << 14, neurons=1, lanes=32, **other), delayed):
        for loadable in (True, False):
            welcome = Welcome(p, 125_000_000, loadable, "a-board", "0.1.0")
            assert Welcome.decode(welcome.encode()) == welcome


def test_welcome_of_another_version():
    text = (
        rf"^the board speaks link version 9 and this host {LINK_VERSION}; build the bitstream "
        r"and run the host with the same Triodia version$"
    )
    with pytest.raises(BadWelcome, match=text):
        Welcome.decode(b"\x09" + WELCOME.encode()[1:])


@pytest.mark.parametrize("payload", [WELCOME.encode()[:20], bytes([LINK_VERSION]) + bytes(60)])
def test_welcome_that_makes_no_sense(payload):
    text = r"^the board describes a machine that cannot be \(.*\); build it again$"
    with pytest.raises(BadWelcome, match=text):
        Welcome.decode(payload)
