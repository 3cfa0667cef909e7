"""Reference model of the board's side of the link: what it takes, drops, and answers."""

from .frame import MAX_PAYLOAD, BadFrame, BoardFrame, HostFrame, Kind

__all__ = ["BoardModel"]

_SPARE = 4  # bytes of the buffer that the CRC of a frame takes before it is known to be one


class BoardModel:
    """The board between line and machine, one frame at a time.

    Parameters
    ----------
    welcome : payload that describes the board. room : bytes of each of the two buffers.

    Attributes
    ----------
    session : 0 before the first. resets : how often a new session has reset the machine.
    inbox : bytes received that the machine has not taken yet, as ``(byte, to be loaded)``.
    outbox : bytes from the machine that the host has not acknowledged.
    """

    def __init__(self, welcome: bytes, room: int) -> None:
        self.welcome, self.room, self.resets = welcome, room, 0
        self._begin(0)

    def _begin(self, session: int) -> None:
        self.session = session
        self.inbox: list[tuple[int, bool]] = []
        self.outbox = bytearray()
        self.received = self.consumed = self.acked = 0
        self.sent = 0  # bytes of the outbox that were sent
        self.hello = self.reply = self.refused = False

    def take(self, count: int) -> list[tuple[int, bool]]:
        """Let the machine take up to ``count`` bytes of the inbox.

        A host that waits for room is told when half of the inbox is free again.
        """
        taken, self.inbox = self.inbox[:count], self.inbox[count:]
        full = self.received - self.consumed + _SPARE > self.room // 2
        self.consumed += len(taken)
        self.reply |= full and self.received - self.consumed + _SPARE <= self.room // 2
        return taken

    def put(self, data: bytes) -> int:
        """Accept output ``data`` from the machine; return how many bytes had room."""
        fits = data[: self.room - len(self.outbox)]
        self.outbox += fits
        return len(fits)

    def receive(self, code: bytes) -> None:
        """Receive the bytes between two zeros on the line, at least one."""
        self.reply = True
        try:
            frame = HostFrame.decode(code)
        except BadFrame:
            self.refused = True
            return
        if frame.kind == Kind.HELLO:
            if frame.session != self.session:
                self._begin(frame.session)
                self.resets += 1
            self.hello = self.reply = True
        elif frame.session == self.session != 0:
            self._acknowledged(frame)
            if frame.payload:
                self._payload(frame)

    def _acknowledged(self, frame: HostFrame) -> None:
        """Free acknowledged bytes; an ACK beyond the bytes sent is stale and is ignored."""
        count = (frame.ack - self.acked) % (1 << 16)
        if count <= len(self.outbox):
            del self.outbox[:count]
            self.acked += count
            self.sent = 0 if frame.again else max(self.sent - count, 0)

    def _payload(self, frame: HostFrame) -> None:
        ahead = (frame.seq - self.received) % (1 << 16)
        room = self.room - (self.received - self.consumed) - _SPARE
        if ahead == 0 and len(frame.payload) <= room:
            self.inbox += [(byte, frame.kind == Kind.LOAD) for byte in frame.payload]
            self.received += len(frame.payload)
        elif ahead < 1 << 15:
            self.refused = True

    def send(self) -> BoardFrame | None:
        """Next frame to the host, or None if there is nothing to send."""
        payload = b""
        if self.hello:
            payload = self.welcome
        elif len(self.outbox) > self.sent:
            payload = bytes(self.outbox[self.sent : self.sent + MAX_PAYLOAD])
        if not (self.reply or payload):
            return None
        frame = BoardFrame(
            Kind.HELLO if self.hello else Kind.WORDS,
            self.session,
            seq=(self.acked + self.sent) % (1 << 16),
            ack=self.received % (1 << 16),
            limit=(self.consumed + self.room - _SPARE) % (1 << 16),
            refused=self.refused,
            payload=payload,
        )
        self.sent += 0 if self.hello else len(payload)
        self.hello = self.reply = self.refused = False
        return frame
