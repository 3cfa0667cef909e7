"""Feed bytes to the host's parser, guided by coverage: ``python -m tests.support.fuzz -runs=N``.

Needs atheris (``pip install -e '.[fuzz]'``); options are libFuzzer's. ``test_fuzz.py`` runs the
same without it.
"""

import struct
import sys
import zlib
from types import FunctionType

from tests.support.networks import random_image
from triodia.host.session import Session
from triodia.host.words import StepReader, Words
from triodia_hw.link.frame import (
    MAX_PAYLOAD,
    BadFrame,
    BoardFrame,
    HostFrame,
    Kind,
    cobs_encode,
    split_frames,
)
from triodia_hw.link.welcome import BadWelcome, Welcome

__all__ = ["check"]

SESSION = 77
IMAGE = random_image(1, lanes=2)


def check(data: bytes) -> None:
    """Assert that only expected errors occur, and that only bytes of good frames are taken.

    The first byte says how the others are cut in pieces. Each piece arrives raw, as a frame with a
    valid checksum (which chance does not find), or as the payload of the next expected frame.
    """
    session, expected, now = Session(SESSION, 0.0), bytearray(), 0.0
    session.send(b"words of the host" * 20)
    for kind, piece in pieces(data):
        now += 0.01
        line = piece if kind == 0 else sealed(kind, piece, len(expected))
        for code in split_frames(bytearray(bytes(session._line) + line)):
            take(code, expected)
        session.feed(line, now)
        assert bytes(session.received) == bytes(expected)
        for code in split_frames(bytearray(session.output(now, waiting=True))):
            sent = HostFrame.decode(code)
            assert (sent.session, sent.ack) == (SESSION, len(expected) % (1 << 16))
    words(bytes(expected), session.welcome)


def pieces(data):
    """(how, bytes) of ``data``."""
    while len(data) > 1:
        size = 1 + data[1] % 64
        yield data[0] % 4, data[2 : 2 + size]
        data = data[2 + size :]


def sealed(kind, piece, at):
    """``piece`` as a frame's body, or as the payload of a good one of this session."""
    if kind == 3:
        return BoardFrame(Kind.WORDS, SESSION, at % (1 << 16), 0, 99, payload=piece).encode()
    if kind == 2 and len(piece) > 1:
        head = BoardFrame.HEADER.pack(piece[0], SESSION, at % (1 << 16), piece[1], 500)
        piece = head + piece[2:]
    return cobs_encode(piece + struct.pack("<I", zlib.crc32(piece))) + b"\0"


def take(code, expected):
    """Model of docs/link.md in a few lines: the bytes of a frame that count."""
    try:
        frame = BoardFrame.decode(code)
    except BadFrame:
        return
    assert len(frame.payload) <= MAX_PAYLOAD
    right = frame.session == SESSION and frame.seq == len(expected) % (1 << 16)
    if right and frame.kind == Kind.WORDS:
        expected += frame.payload


def words(received, welcome):
    """Sample stream contents: words of a network, and a board's description."""
    try:
        Welcome.decode(welcome if welcome is not None else received)
    except BadWelcome:
        pass
    buffer, reader, form = bytearray(received), StepReader(IMAGE), Words(IMAGE.params)
    while len(buffer) >= form.out_bytes:
        try:
            reader.take(form.first(buffer))
        except ValueError:
            break


def instrument(atheris, things, module):
    """Functions of ``module`` among ``things``, and those of its classes."""
    for thing in things:
        if isinstance(thing, FunctionType) and thing.__module__ == module:
            atheris.instrument_func(thing)
        elif isinstance(thing, type) and thing.__module__ == module:
            inner = (getattr(v, "__func__", v) for v in vars(thing).values())
            instrument(atheris, list(inner), module)


def main():
    """Fuzz until a failure, or as libFuzzer's options say."""
    try:
        import atheris
    except ImportError:
        print("atheris is missing; `pip install -e '.[fuzz]'` brings it", file=sys.stderr)
        return 3
    for module in ("triodia.host.session", "triodia.host.words", "triodia_hw.link.frame"):
        instrument(atheris, vars(sys.modules[module]).values(), module)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
