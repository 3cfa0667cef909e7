"""The welcome: a board's description of itself when a session begins."""

import struct
from dataclasses import dataclass, fields

from ..errors import ContractError
from ..machine.params import MachineParams
from .frame import MAX_PAYLOAD

__all__ = ["LINK_VERSION", "BadWelcome", "Welcome"]

LINK_VERSION = 1

_HEAD = struct.Struct("<BBI")  # link version, flags, clock
_SIZES = struct.Struct("<14HI")
_DELAYS = struct.Struct("<Q")  # bit d: the machine has delay d; only there if it has any
_SYNAPTIC, _RESET_VALUE, _LOADABLE, _ABOVE, _ADAPTIVE, _DELAYED, _EXTERNAL, _SHARED = (
    1 << k for k in range(8)
)
_MODES = ("synaptic", "adaptive", "reset", "fires", "delays", "external", "shared_rows")
_WIDE = "synapse_words"  # the one that takes 32 bits; it comes last
_NAMES = [f.name for f in fields(MachineParams) if f.name not in (*_MODES, _WIDE)]


class BadWelcome(ValueError):
    """A board of another link version, or one whose description makes no sense."""


@dataclass(frozen=True)
class Welcome:
    """Description of the machine on a board.

    ``params``: its parameters, which are its capacity. ``clock_hz``: its clock. ``loadable``:
    whether networks can be loaded. ``board``: name. ``version``: the Triodia that built it.
    """

    params: MachineParams
    clock_hz: int
    loadable: bool
    board: str
    version: str

    def encode(self) -> bytes:
        """Payload of the frame; names that are too long are cut."""
        p = self.params
        flags = _SYNAPTIC * p.synaptic | _RESET_VALUE * (p.reset == "value")
        flags |= _LOADABLE * self.loadable | _ABOVE * (p.fires == "above")
        flags |= _ADAPTIVE * p.adaptive | _DELAYED * bool(p.delays) | _EXTERNAL * p.external
        flags |= _SHARED * p.shared_rows
        sizes = [getattr(p, name) for name in _NAMES]
        head = _HEAD.pack(LINK_VERSION, flags, self.clock_hz)
        text = f"{self.board} {self.version}".encode("ascii", "replace")
        head += _SIZES.pack(*sizes, p.synapse_words)
        head += _DELAYS.pack(sum(1 << d for d in p.delays)) if p.delays else b""
        return head + text[: MAX_PAYLOAD - len(head)]

    @classmethod
    def decode(cls, payload: bytes) -> "Welcome":
        """Description from its bytes; :class:`BadWelcome` says what is wrong and what to do."""
        if payload[:1] != bytes([LINK_VERSION]):
            spoken = payload[0] if payload else "none"
            raise BadWelcome(
                f"the board speaks link version {spoken} and this host {LINK_VERSION}; build the "
                "bitstream and run the host with the same Triodia version"
            )
        try:
            _, flags, clock = _HEAD.unpack_from(payload)
            *sizes, wide = _SIZES.unpack_from(payload, _HEAD.size)
            names = _HEAD.size + _SIZES.size
            (delays,) = _DELAYS.unpack_from(payload, names) if flags & _DELAYED else (0,)
            names += _DELAYS.size if flags & _DELAYED else 0
            params = MachineParams(
                **dict(zip(_NAMES, sizes, strict=True)),
                synapse_words=wide,
                synaptic=bool(flags & _SYNAPTIC),
                adaptive=bool(flags & _ADAPTIVE),
                delays=tuple(d for d in range(64) if delays >> d & 1),
                external=bool(flags & _EXTERNAL),
                shared_rows=bool(flags & _SHARED),
                reset="value" if flags & _RESET_VALUE else "subtract",
                fires="above" if flags & _ABOVE else "at",
            )
        except (struct.error, ContractError) as error:
            raise BadWelcome(
                f"the board describes a machine that cannot be ({error}); build it again"
            ) from None
        text = payload[names:].decode("ascii", "replace")
        board, _, version = text.partition(" ")
        return cls(params, clock, bool(flags & _LOADABLE), board, version)
