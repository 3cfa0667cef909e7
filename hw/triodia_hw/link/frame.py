"""Frames of the link, as ``docs/link.md`` specifies them: header, payload, CRC, COBS.

The gateware (:mod:`triodia_hw.gateware.link`) and the host both follow this module.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "MAX_PAYLOAD",
    "BadFrame",
    "BoardFrame",
    "HostFrame",
    "Kind",
    "cobs_decode",
    "cobs_encode",
    "split_frames",
]

MAX_PAYLOAD = 112  # a whole frame, before COBS, is then shorter than 128 bytes
_CRC = 4
_FLAG = 0x80  # of the kind byte: to the board "send again", to the host "not received"
_FAULT = 0x40  # of the kind byte to the host: a bit of the machine's memories flipped


class BadFrame(ValueError):
    """The bytes are not a frame: cut, corrupted, or of unknown kind."""


class Kind(IntEnum):
    """Purpose of a frame: its first byte, without the flags."""

    HELLO = 1  # to the board: begin the session named; to the host: what the board is
    WORDS = 2  # payload: bytes of stream words, or nothing
    LOAD = 3  # to the board: payload is bytes to be loaded


def cobs_encode(data: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing of ``data``: no byte is 0 (Cheshire and Baker, 1999)."""
    out, groups = bytearray(), data.split(b"\0")
    for number, group in enumerate(groups):
        final = number == len(groups) - 1
        while len(group) >= 254:
            out += b"\xff" + group[:254]
            group = group[254:]
            if final and not group:
                return bytes(out)
        out += bytes([len(group) + 1]) + group
    return bytes(out)


def cobs_decode(code: bytes) -> bytes:
    """The inverse of :func:`cobs_encode`; :class:`BadFrame` if ``code`` is cut or has a 0."""
    out, at, zero = bytearray(), 0, False
    while at < len(code):
        size = code[at]
        group = code[at + 1 : at + size]
        if size == 0 or 0 in group or len(group) < size - 1:
            raise BadFrame("bytes are not COBS")
        out += b"\0" * zero + group
        zero, at = size < 255, at + size
    return bytes(out)


def split_frames(buffer: bytearray) -> list[bytes]:
    """Remove complete encoded frames from ``buffer`` and return them; skip empty ones."""
    *ended, rest = bytes(buffer).split(b"\0")
    buffer[:] = rest
    return [code for code in ended if code]


@dataclass(frozen=True)
class HostFrame:
    """A frame to the board.

    Parameters
    ----------
    kind : what it is for. session : whose, 16 bits.
    seq : position of the first byte of ``payload`` in the stream to the board, 16 bits.
    ack : position in the stream to the host that is expected next, 16 bits.
    again : send again from ``ack``. payload : at most :data:`MAX_PAYLOAD` bytes.
    """

    kind: Kind
    session: int
    seq: int = 0
    ack: int = 0
    again: bool = False
    payload: bytes = b""

    HEADER = struct.Struct("<BHHH")

    def encode(self) -> bytes:
        """Bytes on the line, the closing 0 included."""
        head = self.HEADER.pack(self.kind | _FLAG * self.again, self.session, self.seq, self.ack)
        return _sealed(head + self.payload)

    @classmethod
    def decode(cls, code: bytes) -> "HostFrame":
        """Frame of the bytes between two zeros; :class:`BadFrame` if they are none."""
        head, payload = _opened(code, cls.HEADER)
        kind, session, seq, ack = head
        return cls(_kind(kind), session, seq, ack, bool(kind & _FLAG), payload)


@dataclass(frozen=True)
class BoardFrame:
    """A frame to the host; ``seq`` and ``ack`` as of :class:`HostFrame`, the streams exchanged.

    ``limit``: first position in the stream to the board without room. ``refused``: a frame was
    bad, ahead of ``ack``, or had no room. ``fault``: a bit of the machine's memories flipped, so
    its output may be wrong.
    """

    kind: Kind
    session: int
    seq: int = 0
    ack: int = 0
    limit: int = 0
    refused: bool = False
    payload: bytes = b""
    fault: bool = False

    HEADER = struct.Struct("<BHHHH")

    def encode(self) -> bytes:
        """Bytes on the line, the closing 0 included."""
        kind = self.kind | _FLAG * self.refused | _FAULT * self.fault
        head = self.HEADER.pack(kind, self.session, self.seq, self.ack, self.limit)
        return _sealed(head + self.payload)

    @classmethod
    def decode(cls, code: bytes) -> "BoardFrame":
        """Frame of the bytes between two zeros; :class:`BadFrame` if they are none."""
        head, payload = _opened(code, cls.HEADER)
        kind, session, seq, ack, limit = head
        flags = (bool(kind & _FLAG), payload, bool(kind & _FAULT))
        return cls(_kind(kind & ~_FAULT), session, seq, ack, limit, *flags)


def _sealed(body: bytes) -> bytes:
    return cobs_encode(body + zlib.crc32(body).to_bytes(_CRC, "little")) + b"\0"


def _opened(code: bytes, header: struct.Struct) -> tuple[tuple, bytes]:
    """Check the length, then return header fields and payload."""
    body = cobs_decode(code)
    size = len(body) - header.size - _CRC
    if not 0 <= size <= MAX_PAYLOAD:
        raise BadFrame(f"frame must have 0..{MAX_PAYLOAD} bytes of payload, not {size}")
    if zlib.crc32(body[:-_CRC]) != int.from_bytes(body[-_CRC:], "little"):
        raise BadFrame("CRC does not match")
    return header.unpack(body[: header.size]), body[header.size : -_CRC]


def _kind(byte: int) -> Kind:
    try:
        return Kind(byte & ~_FLAG)
    except ValueError:
        raise BadFrame(f"kind must be one of 1, 2, 3, not {byte & ~_FLAG}") from None
