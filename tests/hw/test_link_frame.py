"""Frames of the link: they round-trip, and nothing else is taken for a frame."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triodia_hw.link.frame import (
    MAX_PAYLOAD,
    BadFrame,
    BoardFrame,
    HostFrame,
    Kind,
    cobs_decode,
    cobs_encode,
    split_frames,
)

WORD = st.integers(0, 0xFFFF)
PAYLOAD = st.binary(max_size=MAX_PAYLOAD)
HOST = st.builds(HostFrame, st.sampled_from(Kind), WORD, WORD, WORD, st.booleans(), PAYLOAD)
BOARD = st.builds(BoardFrame, st.sampled_from(Kind), WORD, WORD, WORD, WORD, st.booleans(), PAYLOAD)


def plain_cobs(data):
    """COBS as the paper defines it: the distance to each 0 of the data with a 0 appended."""
    out, block = bytearray(), bytearray()
    for k, byte in enumerate(data + b"\0"):
        if byte:
            block.append(byte)
            if len(block) == 254:
                out += b"\xff" + block
                block = bytearray()
                if k == len(data) - 1:
                    return bytes(out)
        else:
            out += bytes([len(block) + 1]) + block
            block = bytearray()
    return bytes(out)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", b"\x01"),
        (b"\0", b"\x01\x01"),
        (b"\x11\0", b"\x02\x11\x01"),
        (b"\x11\x22\0\x33", b"\x03\x11\x22\x02\x33"),
        (b"\1" * 254, b"\xff" + b"\1" * 254),
        (b"\1" * 254 + b"\0", b"\xff" + b"\1" * 254 + b"\x01\x01"),
        (b"\1" * 255, b"\xff" + b"\1" * 254 + b"\x02\x01"),
    ],
)
def test_cobs_examples(data, code):
    assert cobs_encode(data) == code
    assert cobs_decode(code) == data


@given(st.binary(max_size=600) | st.binary(min_size=250, max_size=260).map(lambda b: b or b"\1"))
def test_cobs(data):
    assert cobs_encode(data) == plain_cobs(data)
    assert 0 not in cobs_encode(data)
    assert cobs_decode(cobs_encode(data)) == data


@given(HOST)
def test_host_frames(frame):
    line = frame.encode()
    assert line.endswith(b"\0") and len(line) <= 7 + MAX_PAYLOAD + 4 + 2
    assert HostFrame.decode(line[:-1]) == frame


@given(BOARD)
def test_board_frames(frame):
    assert BoardFrame.decode(frame.encode()[:-1]) == frame


@settings(max_examples=500)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_frame(code):
    for frame in (HostFrame, BoardFrame):
        with pytest.raises(BadFrame):
            frame.decode(code)


def test_every_byte_matters():
    """Any one or two changed bytes, and any lost, doubled or swapped byte, are detected."""
    chance = random.Random(1)
    for _ in range(300):
        frame = HostFrame(
            Kind.WORDS, 0x1234, 5, 6, payload=chance.randbytes(chance.randrange(MAX_PAYLOAD))
        )
        code = frame.encode()[:-1]
        at = chance.randrange(len(code))
        other = bytearray(code)
        change = chance.choice(("change", "lose", "double", "exchange"))
        if change == "change":
            for _ in range(chance.choice((1, 2))):
                other[chance.randrange(len(code))] ^= chance.randrange(1, 256)
        elif change == "lose":
            del other[at]
        elif change == "double":
            other.insert(at, code[at])
        else:
            other[at - 1], other[at] = code[at], code[at - 1]
        for piece in bytes(other).split(b"\0"):
            if piece and bytes(other) != code:
                with pytest.raises(BadFrame):
                    HostFrame.decode(piece)


@given(st.lists(PAYLOAD, max_size=5), st.binary(max_size=20).filter(lambda b: 0 not in b))
def test_splitting(payloads, rest):
    buffer = bytearray(b"\0" + b"\0".join(map(cobs_encode, payloads)) + b"\0\0" + rest)
    assert [cobs_decode(code) for code in split_frames(buffer)] == payloads
    assert buffer == rest


def test_too_much_payload():
    long = HostFrame(Kind.WORDS, 1, payload=bytes(MAX_PAYLOAD + 1)).encode()[:-1]
    with pytest.raises(BadFrame, match=r"^frame must have 0..112 bytes of payload, not 113$"):
        HostFrame.decode(long)


def test_unknown_kind():
    with pytest.raises(BadFrame, match=r"^kind must be one of 1, 2, 3, not 4$"):
        HostFrame.decode(HostFrame(4, 1).encode()[:-1])
