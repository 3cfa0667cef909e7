"""Choices of implementation that change nothing a machine computes."""

from dataclasses import dataclass

__all__ = ["DEFAULT", "Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a machine is built.

    Parameters
    ----------
    distributed : working memories ("state", "sums_0", "sums_1") in distributed RAM; the others
        are in block RAM.
    loadable : content memories can be written through the input stream.
    poison : every undefined memory word is made wrong, to prove that none is used; for tests.
    """

    distributed: tuple[str, ...] = ()
    loadable: bool = True
    poison: bool = False


DEFAULT = Options()
