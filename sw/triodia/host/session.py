"""The host's side of a session of the link, independent of port and clock."""

from triodia_hw.link.frame import (
    MAX_PAYLOAD,
    BadFrame,
    BoardFrame,
    HostFrame,
    Kind,
    split_frames,
)

__all__ = ["Session"]

_WRAP = 1 << 16
_FIRST, _LEAST, _MOST = 0.3, 0.03, 2.0  # seconds of silence before something is sent again
_ACK = 2 * MAX_PAYLOAD  # bytes taken before they are acknowledged without anything to send
_LONGEST = 4096  # bytes without a 0 that are no frame


class Session:
    """Stream positions and retransmission of a session (``docs/link.md``).

    Pass received bytes to :meth:`feed` and send what :meth:`output` returns; ``now`` is any clock
    in seconds. All retries are decided here: the board never sends twice unasked.

    Attributes
    ----------
    received : bytes of the stream from the board, in order; take from its front.
    welcome : payload of the board's answer to a hello, or None.
    heard : when the last frame of this session arrived. other : the session of the last frame, if
        it was another, or None.
    bad, repeats : damaged frames; retransmissions and requests for them.
    """

    def __init__(self, number: int, now: float) -> None:
        self.number = number
        self.received = bytearray()
        self.welcome: bytes | None = None
        self.fault = False  # the machine read a memory word with a flipped bit
        self.fresh = True  # nothing was received or sent by the board in this session before
        self.heard, self.other = now, None
        self.bad = self.repeats = self.frames = 0
        self._line = bytearray()
        self._data, self._loads = bytearray(), bytearray()  # from _base on: bytes, and their kind
        self._base = self._next = self._limit = self._taken = self._said = 0
        self._again = self._poll = False
        self._asked = self._went_back = -_MOST  # when; what was on its way then may still come
        self._timeout, self._trip, self._spread = _FIRST, 0.0, 0.0
        self._due, self._active = now + _FIRST, False
        self._timed: tuple[int, float] | None = None

    @property
    def unsent(self) -> int:
        """Bytes that the board has not acknowledged."""
        return len(self._data)

    def send(self, data: bytes, *, load: bool = False) -> None:
        """Append ``data`` to the stream to the board: words, or bytes of a network to load."""
        self._data += data
        self._loads += bytes([load]) * len(data)

    def feed(self, data: bytes, now: float) -> None:
        """Take bytes that arrived."""
        self._line += data
        for code in split_frames(self._line):
            try:
                frame = BoardFrame.decode(code)
            except BadFrame:
                self.bad += 1
                self._again |= now - self._asked > self._trip
                continue
            self._take(frame, now)
        if len(self._line) > _LONGEST:
            self._line.clear()

    def _take(self, frame: BoardFrame, now: float) -> None:
        if frame.session != self.number:
            self.other = frame.session
            return
        self.heard, self.other = now, None
        self.frames += 1
        self.fault |= frame.fault
        if frame.kind == Kind.HELLO:
            self.fresh &= self.welcome is not None or not (frame.seq or frame.ack)
            self.welcome = frame.payload
        self._acknowledged(frame, now)
        if frame.kind == Kind.WORDS and frame.payload:
            ahead = (frame.seq - self._taken) % _WRAP
            if ahead == 0:
                self.received += frame.payload
                self._taken += len(frame.payload)
                self._asked, self._again = -_MOST, False
                self._progress(now)
            elif ahead < _WRAP // 2:
                self._again |= now - self._asked > self._trip

    def _acknowledged(self, frame: BoardFrame, now: float) -> None:
        count = (frame.ack - self._base) % _WRAP
        if count > len(self._data):
            return  # of a frame that was overtaken
        if count:
            del self._data[:count], self._loads[:count]
            self._base += count
            self._next = max(self._next, self._base)
            self._measure(now)
            self._went_back = -_MOST
            self._progress(now)
        self._limit = self._base + (frame.limit - frame.ack) % _WRAP
        if frame.refused and self._next > self._base and now - self._went_back > self._trip:
            self._back(now)

    def _measure(self, now: float) -> None:
        """Round-trip time as TCP estimates it (RFC 6298), of bytes sent once."""
        if self._timed is None or self._timed[0] > self._base:
            return
        trip, self._timed = now - self._timed[1], None
        first = self._trip == 0
        self._spread = trip / 2 if first else 0.75 * self._spread + 0.25 * abs(self._trip - trip)
        self._trip = trip if first else 0.875 * self._trip + 0.125 * trip

    def _progress(self, now: float) -> None:
        """Restart the timeout, as long as round-trips suggest."""
        if self._trip:
            self._timeout = min(max(_LEAST, self._trip + 4 * self._spread), _MOST)
        self._due = now + self._timeout

    def _back(self, now: float) -> None:
        """Retransmit from the first unacknowledged byte."""
        self._next, self._went_back, self._timed = self._base, now, None
        self.repeats += 1

    def hello(self) -> bytes:
        """The bytes that open the session; send them until :attr:`welcome` is set."""
        return b"\0" + HostFrame(Kind.HELLO, self.number).encode()

    def output(self, now: float, *, waiting: bool) -> bytes:
        """Bytes to send now; ``waiting``: whether the board owes an answer."""
        active = waiting or bool(self._data)
        if active and not self._active:
            self._due = now + self._timeout
        self._active = active
        if active and now >= self._due:
            if now - self.heard > self._timeout:  # with a line that only disturbs: no later
                self._timeout = min(2 * self._timeout, _MOST)
            self._due = now + self._timeout
            self._again = self._poll = True
            if self._next > self._base:
                self._back(now)
        line = bytearray()
        while (frame := self._frame(now)) is not None:
            line += frame.encode()
        return bytes(line)

    def _frame(self, now: float) -> HostFrame | None:
        at = self._next - self._base
        size = min(len(self._data) - at, MAX_PAYLOAD, max(self._limit - self._next, 0))
        load = bool(size and self._loads[at])
        if size:
            other = self._loads.find(not load, at, at + size)
            size = size if other < 0 else other - at
        owed = self._taken - self._said >= _ACK
        if not (size or self._again or self._poll or owed):
            return None
        frame = HostFrame(
            Kind.LOAD if load else Kind.WORDS,
            self.number,
            self._next % _WRAP,
            self._taken % _WRAP,
            self._again,
            bytes(self._data[at : at + size]),
        )
        self.repeats += self._again
        self._asked = now if self._again else self._asked
        self._again = self._poll = False
        self._said = self._taken
        if size:
            if self._timed is None and self._went_back < 0:
                self._timed = (self._next + size, now)
            self._next += size
        return frame
