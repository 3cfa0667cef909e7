"""Where torch computes: the processor, or a GPU if there is one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from triodia_hw.errors import MissingTool, TriodiaError

__all__ = ["DEVICES", "find_device", "threads_for"]

DEVICES = ("cpu", "auto", "cuda")

_ALONE = (
    512  # neurons up to which one thread is as fast as several, and far faster on a busy machine
)


def find_device(name: str) -> torch.device:
    """The device called ``name`` of ``DEVICES``; "auto" is CUDA where torch finds it, else the CPU.

    Raises
    ------
    TriodiaError
        If there is no such name.
    MissingTool
        If "cuda" is asked for and torch finds none.
    """
    if name not in DEVICES:
        raise TriodiaError(f"device must be one of {', '.join(DEVICES)}, not {name!r}")
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise MissingTool(
            f"device cuda needs a GPU that torch {torch.__version__} can use, and it finds none; "
            "use --device cpu"
        )
    return torch.device("cuda" if found and name != "cpu" else "cpu")


@contextmanager
def threads_for(neurons: int) -> Iterator[None]:
    """Let torch use one thread while it computes networks of few ``neurons``."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if neurons <= _ALONE else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
