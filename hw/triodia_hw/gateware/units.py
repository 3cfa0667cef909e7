"""How units are made and placed: with the usual memories and queues, or with others."""

from collections.abc import Callable
from typing import TypeVar

from amaranth import *
from amaranth.hdl import ShapeLike
from amaranth.lib import data

from ..compile.options import DEFAULT, Options
from .queue import Queue
from .ram import Ram

__all__ = ["Units"]

_Unit = TypeVar("_Unit", bound=Elaboratable)


class Units:
    """Make memories and queues, and place units in the module that contains them.

    Every unit of the machine takes one of these. Proofs pass other memories and queues; Verilog
    export overrides :meth:`add` to give each kind of unit a module of its own.

    Parameters
    ----------
    options : how the machine is built; changes nothing it computes.
    memory : called like :class:`.ram.Ram`. queue : called like :class:`.queue.Queue`.
    """

    def __init__(
        self,
        options: Options = DEFAULT,
        *,
        memory: Callable[..., Ram] = Ram,
        queue: Callable[..., Queue] = Queue,
    ) -> None:
        self.options, self._memory, self._queue = options, memory, queue

    def memory(
        self, m: Module, shape: data.Layout, *, depth: int, name: str, init: list[int] | None = None
    ) -> Ram:
        """Add a memory called ``name`` to ``m``."""
        ram = self._memory(shape, depth=depth, name=name, options=self.options, init=init)
        return self.add(m, name, ram)

    def queue(
        self,
        m: Module,
        shape: ShapeLike,
        *,
        name: str,
        like: str = "",
        spare: int = 0,
        reset: Value | None = None,
    ) -> Queue:
        """Add the queue called ``name`` to ``m``, with a reset of its own or without.

        ``like``: the queue by whose name the options know it, if not its own.
        """
        queue = self._queue(shape, name=like or name, options=self.options, spare=spare)
        return self.add(m, name, queue, reset)

    def add(self, m: Module, name: str, unit: _Unit, reset: Value | None = None) -> _Unit:
        """Add ``unit`` to ``m`` as submodule ``name``; ``reset`` resets all of its registers."""
        m.submodules[name] = unit if reset is None else ResetInserter(reset)(unit)
        return unit
