# amaranth: UnusedElaboratable=no
"""Feed arbitrary bytes to the host's parser and, frame by frame, to the gateware's."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import fuzz
from tests.support.bench import simulate
from tests.support.link_bench import Bench
from triodia_hw.link.frame import HostFrame, Kind


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=600))
def test_host(data):
    fuzz.check(data)


def test_host_with_frames():
    """Mostly frames with valid checksums: bytes arrive, and a flaw would be noticed."""
    chance = random.Random(1)
    for _ in range(200):
        data = b"".join(
            bytes([chance.choice([0, 2, 3, 3]), size - 1]) + chance.randbytes(size)
            for size in (chance.randrange(1, 65) for _ in range(8))
        )
        fuzz.check(data)


def test_a_flaw_is_seen(monkeypatch):
    """A parser that ignores positions is noticed."""
    take = fuzz.Session._take

    def careless(self, frame, now):
        self._taken = frame.seq
        take(self, frame, now)

    monkeypatch.setattr(fuzz.Session, "_take", careless)
    frame = fuzz.BoardFrame(Kind.WORDS, fuzz.SESSION, 5, payload=b"abc").encode()
    with pytest.raises(AssertionError):
        fuzz.check(bytes([0, len(frame) - 1]) + frame)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.binary(max_size=150), min_size=1, max_size=6))
def test_gateware(noise):
    """With noise between frames, link and model agree in every byte, and a session still works."""
    bench = Bench()

    async def run(ctx):
        await bench.tick(ctx)
        for number, piece in enumerate(noise):
            line = piece + b"\0"
            await bench.send(ctx, line)
            for code in fuzz.split_frames(bytearray(line)):
                bench.model.receive(code)
            await bench.compare(ctx)
            hello = HostFrame(Kind.HELLO, 100 + number).encode()
            await bench.send(ctx, hello)
            bench.model.receive(hello[:-1])
            assert await bench.compare(ctx)
            assert ctx.get(bench.dut.open)

    simulate(bench.dut, run)
