"""Errors between a host and a board; the messages say what to do."""

from triodia_hw.errors import TriodiaError

__all__ = [
    "BoardRestarted",
    "LinkError",
    "MemoryFault",
    "NoAnswer",
    "PortError",
    "Stuck",
    "WrongBoard",
]


class LinkError(TriodiaError):
    """A transfer failed or was refused; all results before it are correct."""


class PortError(LinkError):
    """A port is missing, not permitted, or was unplugged."""


class NoAnswer(LinkError):
    """The board did not answer in time."""


class BoardRestarted(LinkError):
    """The board was reset, or another host took it over."""


class MemoryFault(LinkError):
    """A bit flipped in the machine's memory; results from then on are refused."""


class Stuck(LinkError):
    """The board answers, but the machine sends no results."""


class WrongBoard(LinkError):
    """The bitstream is of another version or machine, or sends impossible words."""
