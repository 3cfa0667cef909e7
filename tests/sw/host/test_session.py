"""The host's side of the link against the board's model, over disturbed lines."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triodia.host.session import Session
from triodia_hw.link.frame import HostFrame, Kind, split_frames
from triodia_hw.link.model import BoardModel

KINDS = ("change", "flip", "lose", "double", "exchange", "invent", "cut")


class Line:
    """One direction of the line; disturbs each byte with probability ``rate``."""

    def __init__(self, rate, chance):
        self.rate, self.chance, self.buffer = rate, chance, bytearray()

    def carry(self, data):
        """Frames that end on the other side."""
        for byte in data:
            kind = self.chance.choice(KINDS) if self.chance.random() < self.rate else ""
            if kind == "change":
                byte = self.chance.randrange(256)
            elif kind == "flip":
                byte ^= 1 << self.chance.randrange(8)
            elif kind == "double":
                self.buffer.append(byte)
            elif kind == "invent":
                self.buffer += self.chance.randbytes(self.chance.randrange(1, 20))
            elif kind == "cut":
                self.buffer.append(0)
            if kind != "lose":
                self.buffer.append(byte)
            if kind == "exchange" and len(self.buffer) > 1:
                self.buffer[-1], self.buffer[-2] = self.buffer[-2], self.buffer[-1]
        return split_frames(self.buffer)


class World:
    """A session, a board whose machine answers each byte with two, and the lines between."""

    def __init__(self, seed, rate, room=256):
        self.chance = random.Random(seed)
        self.board, self.session = BoardModel(b"I am", room), Session(77, 0.0)
        self.up, self.down = Line(rate, self.chance), Line(rate, self.chance)
        self.now, self.taken, self.answer = 0.0, [], bytearray()
        self.old = []  # frames of the past that come once more

    def tick(self, expect):
        """A millisecond or so."""
        self.now += self.chance.choice([0.001, 0.001, 0.02])
        session = self.session
        if session.welcome is None:
            line = session.hello() if self.chance.random() < 0.2 else b""
        else:
            line = session.output(self.now, waiting=len(session.received) < expect)
        for code in self.up.carry(line):
            self.board.receive(code)
            self.old.append(code)
        if self.old and self.chance.random() < self.up.rate:
            self.board.receive(self.chance.choice(self.old[-6:]))
        for byte, load in self.board.take(self.chance.choice([0, 5, 60])):
            self.taken.append((byte, load))
            self.answer += bytes([byte, byte ^ load])
        put = self.board.put(bytes(self.answer[: self.chance.choice([0, 20, 200])]))
        del self.answer[:put]
        while (frame := self.board.send()) is not None:
            for code in self.down.carry(frame.encode()):
                session.feed(code + b"\0", self.now)

    def run(self, pieces):
        """Send ``pieces`` (bytes, whether to be loaded); until all is there and answered."""
        want = [(byte, load) for data, load in pieces for byte in data]
        for data, load in pieces:
            self.session.send(data, load=load)
        for _ in range(60_000):
            self.tick(2 * len(want))
            if len(self.session.received) >= 2 * len(want) and not self.session.unsent:
                break
        assert self.taken == want
        assert bytes(self.session.received) == b"".join(bytes([b, b ^ load]) for b, load in want)
        return self


def pieces_of(chance, count):
    return [
        (chance.randbytes(chance.randrange(1, 400)), chance.random() < 0.4) for _ in range(count)
    ]


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.02])
@pytest.mark.parametrize("seed", range(3))
def test_everything_arrives_once_and_in_order(rate, seed):
    world = World(seed, rate).run(pieces_of(random.Random(seed), 12))
    assert (world.session.bad > 0) == (rate >= 0.01) or rate == 0.001
    assert rate or world.session.repeats == 0 == world.session.bad
    assert world.board.resets == 1


def test_positions_wrap():
    data = random.Random(1).randbytes(70_000)
    World(1, 0.0005).run([(data, False)])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([0.0, 0.002, 0.02]), st.integers(1, 6))
def test_any_seed(seed, rate, count):
    World(seed, rate).run(pieces_of(random.Random(seed), count))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=6), st.integers(0, 3))
def test_host_takes_nothing_from_arbitrary_bytes(pieces, zeros):
    session = Session(5, 0.0)
    for piece in pieces:
        session.feed(piece + bytes(zeros), 0.1)
    assert session.welcome is None and not session.received and session.other is None
    session.feed(b"\0", 0.2)
    board = BoardModel(b"hello", 256)
    board.receive(HostFrame(Kind.HELLO, 5).encode()[:-1])
    session.feed(board.send().encode(), 0.3)
    assert session.welcome == b"hello"  # and it still hears


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.booleans())
def test_board_takes_nothing_from_arbitrary_bytes(pieces, begun):
    board = BoardModel(b"hello", 256)
    if begun:
        board.receive(HostFrame(Kind.HELLO, 5).encode()[:-1])
    for piece in pieces:
        for code in filter(None, piece.split(b"\0")):
            board.receive(code)
    assert board.session == (5 if begun else 0) and not board.inbox


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(
            HostFrame,
            st.sampled_from(Kind),
            st.sampled_from([0, 5, 6]),
            st.integers(0, 0xFFFF) | st.integers(0, 300),
            st.integers(0, 0xFFFF),
            st.booleans(),
            st.binary(max_size=112),
        ),
        max_size=20,
    )
)
def test_board_withstands_any_frames(frames):
    """Valid frames that no host sends: buffers stay within bounds, and the board still answers."""
    board = BoardModel(b"hello", 256)
    for frame in frames:
        board.receive(frame.encode()[:-1])
        board.put(b"12345")
        while (reply := board.send()) is not None:
            assert reply.session == board.session
        assert len(board.inbox) <= 252 and len(board.outbox) <= 256
        assert board.received - board.consumed == len(board.inbox)
    board.receive(HostFrame(Kind.HELLO, 9).encode()[:-1])
    assert board.send().payload == b"hello"


def test_a_session_that_is_not_fresh():
    board = BoardModel(b"hello", 256)
    board.receive(HostFrame(Kind.HELLO, 5).encode()[:-1])
    board.receive(HostFrame(Kind.WORDS, 5, payload=b"abc").encode()[:-1])
    board.send()
    session = Session(5, 0.0)
    board.receive(HostFrame(Kind.HELLO, 5).encode()[:-1])
    session.feed(board.send().encode(), 0.1)
    assert session.welcome and not session.fresh


def test_another_session_is_noticed():
    board, session = BoardModel(b"hello", 256), Session(5, 0.0)
    board.receive(HostFrame(Kind.WORDS, 5).encode()[:-1])
    session.feed(board.send().encode(), 0.1)
    assert session.other == 0 and session.heard == 0.0
