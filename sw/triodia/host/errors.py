"""What can go wrong between a host and a board; the messages say what would help."""

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
    """A transfer that could not be completed, or is refused; the results before it are right."""


class PortError(LinkError):
    """A port that is not there, may not be used, or went away."""


class NoAnswer(LinkError):
    """Nothing came in time."""


class BoardRestarted(LinkError):
    """The board has forgotten the session."""


class MemoryFault(LinkError):
    """A memory word of the machine has changed by itself; results from then on are refused."""


class Stuck(LinkError):
    """The board answers, but the machine puts out nothing."""


class WrongBoard(LinkError):
    """A bitstream of another version or another machine, or one whose words make no sense."""
