# amaranth: UnusedElaboratable=no
"""Components of the link against :mod:`triodia_hw.link.frame`."""

import random

import pytest
from amaranth import Module
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tests.support.bench import simulate
from tests.support.networks import random_image
from tests.support.streams import STALLS, through
from triodia_hw.gateware.link.checker import FrameChecker
from triodia_hw.gateware.link.cobs import CobsDecoder, CobsEncoder, framed_layout
from triodia_hw.gateware.link.framer import Framer
from triodia_hw.gateware.link.inbox import Inbox
from triodia_hw.gateware.link.outbox import Outbox
from triodia_hw.gateware.link.words import Gather, Scatter, bytes_of_word
from triodia_hw.link.frame import (
    MAX_PAYLOAD,
    BadFrame,
    BoardFrame,
    HostFrame,
    Kind,
    cobs_decode,
    cobs_encode,
)
from triodia_hw.machine.words import INPUT_KINDS, input_fields, output_fields, pack, width_of


def texts():
    chance = random.Random(4)
    few = [bytes(chance.choice(b"\0\1\2") for _ in range(n)) for n in (1, 2, 3, 9)]
    sizes = (1, 5, 30, 126, 127)
    return [b"\0", b"\0\0", b"\1", *few, bytes(127), *(chance.randbytes(n) for n in sizes)]


@pytest.mark.parametrize("stall", STALLS)
def test_encoder(stall):
    words = [byte | (k == len(text) - 1) << 8 for text in texts() for k, byte in enumerate(text)]
    line = b"".join(cobs_encode(text) + b"\0" for text in texts())
    log = through(CobsEncoder(), words, expect=len(line), stall=stall)
    assert bytes(log.words) == line


def decoded(line):
    """Decoder output for each byte of ``line``: None, a byte, or the end and verdict."""
    dut, got = CobsDecoder(), []

    async def run(ctx):
        ctx.set(dut.i.valid, 1)
        for byte in line:
            ctx.set(dut.i.payload, byte)
            *_, valid, o = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                got.append(("bad" if o.bad else "end") if o.end else o.byte)

    simulate(dut, run)
    return got


def test_decoder():
    chance = random.Random(3)
    frames = [*texts(), bytes(300), b"\1" * 254, b"\1" * 255, chance.randbytes(1000)]
    line = b"\0\0" + b"\0\0".join(map(cobs_encode, frames)) + b"\0"
    assert decoded(line) == [item for frame in frames for item in (*frame, "end")]


def test_decoder_of_arbitrary_bytes():
    """Cut frames are reported as bad, and the next frame is right."""
    chance = random.Random(5)
    for _ in range(60):
        code = bytes(chance.randrange(1, 20) for _ in range(chance.randrange(1, 30)))
        got = decoded(code + b"\0" + cobs_encode(b"next") + b"\0")
        try:
            assert got[:-5] == [*cobs_decode(code), "end"]
        except BadFrame:
            assert got[-6] == "bad"
        assert got[-5:] == [*b"next", "end"]


class Checked(wiring.Component):
    """Decoder and checker."""

    def __init__(self):
        self.decoder, self.checker = CobsDecoder(), FrameChecker()
        super().__init__({"i": In(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.decoder, m.submodules.checker = self.decoder, self.checker
        connect(m, flipped(self.i), self.decoder.i)
        connect(m, self.decoder.o, self.checker.i)
        return m


def checked(line):
    """Verdicts on the frames of ``line``: a frame, or None."""
    dut, got, payload = Checked(), [], {}
    c = dut.checker

    async def run(ctx):
        for byte in line:
            for valid in (1, 0, 0, 0):
                ctx.set(dut.i.valid, valid)
                ctx.set(dut.i.payload, byte)
                *_, write, offset, data, good, bad, h, size = await ctx.tick().sample(
                    c.write, c.offset, c.byte, c.good, c.bad, c.header, c.size
                )
                if write:
                    payload[offset] = data
                if good:
                    body = bytes(payload[k] for k in range(size))
                    again = bool(h.again)
                    got.append(HostFrame(Kind(h.kind), h.session, h.seq, h.ack, again, body))
                if bad:
                    got.append(None)

    simulate(dut, run)
    return got


def wanted(code):
    try:
        return HostFrame.decode(code)
    except BadFrame:
        return None


def random_frame(chance):
    size = chance.choice((0, 1, 3, 60, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 130))
    seq, ack, session = (chance.choice((0, 1, 0xFFFF, chance.randrange(1 << 16))) for _ in "123")
    body = bytes(size) if chance.random() < 0.2 else chance.randbytes(size)
    kind = chance.choice((1, 2, 3, 3, 0, 4, 0x42))
    return HostFrame(kind, session, seq, ack, chance.random() < 0.5, body)


def test_checker():
    chance, codes = random.Random(6), []
    for k in range(120):
        code = bytearray(random_frame(chance).encode()[:-1])
        if k % 3 == 0:
            code[chance.randrange(len(code))] = chance.randrange(1, 256)
        elif k % 7 == 0:
            code = code[: chance.randrange(1, len(code))]
        codes.append(bytes(code))
    got = checked(b"\0".join(codes) + b"\0")
    assert got == [wanted(code) for code in codes]
    assert 25 < sum(frame is not None for frame in got) < 80


def test_inbox():
    """Frames written and kept, dropped or refused at random, with positions that wrap."""
    depth, chance = 256, random.Random(7)
    dut, kept, taken = Inbox(depth), [], []
    refusals = 0

    async def frame(ctx):
        nonlocal refusals
        size = chance.randrange(1, MAX_PAYLOAD + 1)
        data, load = chance.randbytes(size + 4), chance.random() < 0.5
        free = (ctx.get(dut.limit) - ctx.get(dut.received)) % (1 << 16)
        for k, byte in enumerate(data):
            for name, value in (("write", 1), ("byte", byte), ("offset", k), ("load", load)):
                ctx.set(getattr(dut, name), value)
            await ctx.tick()
            ctx.set(dut.write, 0)
            await ctx.tick().repeat(3)
        room, keep = ctx.get(dut.room), chance.random() < 0.8
        assert room or size > free  # what is within the limit has room
        refusals += not room
        ctx.set(dut.size, size)
        ctx.set(dut.keep if keep else dut.drop, 1)
        before = ctx.get(dut.received)
        await ctx.tick()
        ctx.set(dut.keep, 0)
        ctx.set(dut.drop, 0)
        await ctx.tick()
        if keep and room:
            kept.extend(byte | load << 8 for byte in data[:size])
        assert ctx.get(dut.received) == (before + size * (keep and room)) % (1 << 16)

    async def feed(ctx):
        while len(kept) < 1500:
            await frame(ctx)
        await ctx.tick().repeat(1500)

    async def drain(ctx):
        while len(kept) < 1500 or len(taken) < len(kept):
            ctx.set(dut.o.ready, chance.random() < (0.01 if len(taken) < 600 else 0.6))
            *_, valid, ready, word = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, Value.cast(dut.o.payload)
            )
            if valid and ready:
                taken.append(word)

    simulate(dut, feed, drain)
    assert taken == kept and refusals > 1


def test_outbox():
    """Sent, acknowledged, sent again, with stale acknowledgements, against a plain model."""
    depth, chance = 256, random.Random(8)
    dut, data = Outbox(depth), []
    tail = first = 0
    stale = again = 0

    async def act(ctx):
        nonlocal tail, first, stale, again
        choice = chance.random()
        if choice < 0.5:
            for _ in range(chance.randrange(1, 90)):
                byte = chance.randrange(256)
                ctx.set(dut.i.payload, byte)
                ctx.set(dut.i.valid, 1)
                *_, ready = await ctx.tick().sample(dut.i.ready)
                assert ready == (len(data) - tail < depth)
                data.extend([byte] if ready else [])
            ctx.set(dut.i.valid, 0)
        elif choice < 0.7:
            size = min(len(data) - first, MAX_PAYLOAD)
            assert (ctx.get(dut.size), ctx.get(dut.next)) == (size, first % (1 << 16))
            ctx.set(dut.sent, 1)
            await ctx.tick()
            ctx.set(dut.sent, 0)
            for k in range(size):
                ctx.set(dut.r_addr, (first + k) % (1 << 16))
                await ctx.tick()
                assert ctx.get(dut.r_data) == data[first + k]
            first += size
        else:
            ack = chance.randint(max(0, tail - 400), first)
            flag = chance.random() < 0.3
            ctx.set(dut.ack, ack % (1 << 16))
            ctx.set(dut.again, flag)
            await ctx.tick()
            ctx.set(dut.acked, 1)
            await ctx.tick()
            ctx.set(dut.acked, 0)
            if ack >= tail:
                tail, first = ack, ack if flag else max(first, ack)
                again += flag
            else:
                stale += 1
        await ctx.tick().repeat(2)

    async def run(ctx):
        while len(data) < 5000:
            await act(ctx)

    simulate(dut, run, timeout=200_000)
    assert stale > 10 and again > 10


@pytest.mark.parametrize("unit", [Inbox, Outbox])
@pytest.mark.parametrize("depth", [0, 128, 300, 1 << 16])
def test_depth(unit, depth):
    text = rf"^depth must be a power of two in 256..32768, not {depth}$"
    with pytest.raises(ValueError, match=text):
        unit(depth)


class Framed(wiring.Component):
    """Framer and encoder; the payload is a byte that depends on its index."""

    def __init__(self):
        self.framer, self.encoder = Framer(), CobsEncoder()
        super().__init__({"o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.framer, m.submodules.encoder = self.framer, self.encoder
        connect(m, self.framer.o, self.encoder.i)
        connect(m, self.encoder.o, flipped(self.o))
        m.d.sync += self.framer.byte.eq(self.framer.index * 5)
        return m


@pytest.mark.parametrize("stall", [0, 0.6])
def test_framer(stall):
    chance, dut, got = random.Random(9), Framed(), bytearray()
    frames = []
    for size in (0, 1, 2, 50, MAX_PAYLOAD, 7):
        numbers = [chance.randrange(1 << 16) for _ in range(4)]
        body = bytes(5 * k & 0xFF for k in range(size))
        frames.append(BoardFrame(chance.choice(list(Kind)), *numbers, size % 2 == 1, body))

    async def ask(ctx):
        for f in frames:
            while ctx.get(dut.framer.busy):
                await ctx.tick()
            names = ("kind", "session", "seq", "ack", "limit", "refused")
            ctx.set(dut.framer.header, {name: int(getattr(f, name)) for name in names})
            ctx.set(dut.framer.size, len(f.payload))
            ctx.set(dut.framer.start, 1)
            await ctx.tick()
            ctx.set(dut.framer.start, 0)
            ctx.set(dut.framer.size, 99)

    async def take(ctx):
        while got.count(0) < len(frames):
            ctx.set(dut.o.ready, chance.random() >= stall)
            *_, valid, ready, byte = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload
            )
            got.extend([byte] if valid and ready else [])

    simulate(dut, ask, take)
    assert bytes(got) == b"".join(f.encode() for f in frames)


CASES = [{"lanes": 1}, {"lanes": 2, "payload_bits": 1}, {"lanes": 3, "inputs": 900}]


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_gather(case, stall):
    p, chance = random_image(1, **case).params, random.Random(10)
    fields, sent, want = input_fields(p), [], []
    for _ in range(60):
        if chance.random() < 0.5:
            byte = chance.randrange(256)
            sent.append(byte | 1 << 8)
            load = {"kind": INPUT_KINDS["load"], "last": 0, "source": byte, "payload": 0}
            want.append(pack(fields, load))
        else:
            want.append(chance.randrange(1 << width_of(fields)))
            sent += want[-1].to_bytes(bytes_of_word(width_of(fields)), "little")
    assert through(Gather(p), sent, expect=len(want), stall=stall).words == want


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_scatter(case, stall):
    p, chance = random_image(1, **case).params, random.Random(11)
    width = width_of(output_fields(p))
    words = [chance.randrange(1 << width) for _ in range(40)]
    want = b"".join(word.to_bytes(bytes_of_word(width), "little") for word in words)
    log = through(Scatter(p), words, expect=len(want), stall=stall)
    assert bytes(log.words) == want


def test_frames_of_the_encoder_are_short_enough():
    assert BoardFrame.HEADER.size + MAX_PAYLOAD + 4 <= 127
    assert framed_layout.size == 9
