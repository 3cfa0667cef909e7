# amaranth: UnusedElaboratable=no
"""What the link is put through: each play compares it with its model."""

import random

from tests.support.bench import simulate
from tests.support.link_bench import IN, OUT, ROOM, WELCOME, Bench
from triodia_hw.link.frame import BoardFrame, HostFrame, Kind, split_frames
from triodia_hw.link.welcome import Welcome
from triodia_hw.machine.words import INPUT_KINDS, pack, unpack, width_of

__all__ = ["PLAYS", "like_its_model", "long_session"]


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
                        word = chance.chance.randrange(1 << width_of(OUT))
                        await bench.put(ctx, word)
                await bench.compare(ctx)
                await bench.words(ctx, chance.chance.choice([0, 1, 5, 200]))
                await bench.compare(ctx, late=ROOM)
        seen["words"] = len(bench.taken)

    simulate(bench.dut, run, timeout=1_000_000)
    assert seen["refused"] > 4 and seen["frames"] > 25 and seen["words"] > 50


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
                await bench.put(ctx, chance.randrange(1 << width_of(OUT)))
            await bench.compare(ctx, late=ROOM)
        assert bench.taken == sent

    simulate(bench.dut, run, timeout=20 * size + 50_000)


def second_hello(dut=None):
    """A hello of the session there is asks for a welcome alone: its bytes are not taken."""
    bench = Bench(dut)

    async def run(ctx):
        word = {"kind": INPUT_KINDS["end"], "last": 0, "source": 0, "payload": 0}
        data = pack(IN, word).to_bytes(bench.in_bytes, "little")
        await say(ctx, bench, HostFrame(Kind.HELLO, 7))
        await bench.compare(ctx)  # the machine is in reset until then
        for word in (0x12345, 0x54321):
            await bench.put(ctx, word)
        await bench.compare(ctx)
        for seq in (0, 5):  # 5 would be refused as words
            ack = bench.out_bytes
            await say(ctx, bench, HostFrame(Kind.HELLO, 7, seq=seq, ack=ack, payload=data))
            await bench.compare(ctx)
        await bench.words(ctx, 1)
        assert not bench.taken
        # Both words are still there, and the host's words still come.
        await say(ctx, bench, HostFrame(Kind.WORDS, 7, payload=data, again=True))
        frames = await bench.compare(ctx)
        assert b"".join(f.payload for f in frames) == b"".join(
            word.to_bytes(bench.out_bytes, "little") for word in (0x12345, 0x54321)
        )
        await bench.words(ctx, 1)
        assert len(bench.taken) == 1

    simulate(bench.dut, run)


def stopped_line(dut=None):
    """The line to the host stands still until as many bytes wait as there is room for."""
    bench, chance = Bench(dut), random.Random(3)

    async def run(ctx):
        await say(ctx, bench, HostFrame(Kind.HELLO, 7))
        await bench.compare(ctx)
        for count in range(bench.out_bytes, ROOM + 1, 5 * bench.out_bytes):
            bench.ready = 0.0
            for _ in range(count // bench.out_bytes):
                await bench.put(ctx, chance.randrange(1 << width_of(OUT)))
            bench.ready = 1.0
            await bench.compare(ctx)
            end = (bench.model.acked + bench.model.sent) % (1 << 16)
            await say(ctx, bench, HostFrame(Kind.WORDS, 7, ack=end))
            await bench.compare(ctx)

    simulate(bench.dut, run)


def late_fault(dut=None):
    """A frame is begun when the one before it has left the framer, last byte and all.

    The welcome's check sum has a 0 before its last byte. COBS makes a group of that byte, which
    the encoder takes after it has sent the group before. The line stops there, another frame
    becomes due, then the machine finds a fault: the frame must say so.
    """
    bench = Bench(dut)
    session = next(s for s in range(1, 1 << 16) if welcome(s).encode()[-4:-2] == b"\1\2")
    size = len(welcome(session).encode())

    async def run(ctx):
        await bench.send(ctx, HostFrame(Kind.HELLO, session).encode())
        for _ in range(5_000):
            if len(bench.line) == size - 4:
                break
            await bench.tick(ctx)
        bench.ready = 0.0
        await bench.send(ctx, HostFrame(Kind.WORDS, session).encode())
        for _ in range(50):
            await bench.tick(ctx)
        ctx.set(bench.dut.fault, 1)
        bench.ready = 1.0
        await bench.settle(ctx)
        first, second = (BoardFrame.decode(code) for code in split_frames(bench.line))
        assert (first, second.kind) == (welcome(session), Kind.WORDS)
        assert second.fault

    simulate(bench.dut, run)


def welcome(session):
    """The answer to the hello of a session."""
    return BoardFrame(Kind.HELLO, session, limit=ROOM - 4, payload=WELCOME.encode())


async def say(ctx, bench, frame):
    """Send a frame to link and model."""
    await bench.send(ctx, frame.encode())
    bench.model.receive(frame.encode()[:-1])


PLAYS = {play.__name__: play for play in (session, second_hello, stopped_line, late_fault)}
