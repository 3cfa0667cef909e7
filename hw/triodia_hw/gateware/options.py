"""Choices of implementation that change nothing a machine computes."""

from dataclasses import dataclass

__all__ = ["DEFAULT", "Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a machine is built.

    Parameters
    ----------
    block : working memories (sums, state) in block RAM, else in distributed RAM.
    poison : every undefined memory word is made wrong, to prove that none is used; for tests.
    """

    block: bool = True
    poison: bool = False


DEFAULT = Options()
