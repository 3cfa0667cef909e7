"""What an interrupt of the bus slaves promises, the same for each bus."""

from amaranth import *
from amaranth.hdl import Assert, Cover

from .any_core import AnyCore

__all__ = ["READS", "check_interrupt"]

READS = ("STATUS", "IRQ_ENABLE", "IRQ_PENDING")


def check_interrupt(
    m: Module, irq: Value, enable: Value, core: AnyCore, data: Value, ends: dict[str, Value]
) -> None:
    """``irq`` is high exactly while a status bit is 1 whose enable bit is 1.

    Parameters
    ----------
    enable : the enable bits, as the bus wrote them. core : the machine within.
    data : what a read shows. ends : for each of :data:`READS`, whether a read of this register,
        which looked at it in the cycle before, ends well now.

    - Each of the registers shows what was there in the cycle before.
    - A word that enters or leaves the machine proves its status bit, so ``irq`` is high if that
      is enabled. Without enabled bits it is low.
    """
    irq_was, enable_was = Signal(name="irq_was"), Signal(2, name="enable_was")
    m.d.check += [irq_was.eq(irq), enable_was.eq(enable)]
    pending = {"STATUS": data & enable_was, "IRQ_PENDING": data}
    for name, bits in pending.items():
        with m.If(ends[name]):
            m.d.comb += [Assert(irq_was == bits.any()), Cover(irq_was)]
    with m.If(ends["IRQ_PENDING"]):
        m.d.comb += Assert(data & ~enable_was == 0)
    with m.If(ends["IRQ_ENABLE"]):
        m.d.comb += [Assert(data == enable_was), Cover(data == 3)]
    with m.If((core.sent & enable[0]) | (core.left & enable[1])):
        m.d.comb += Assert(irq)
    with m.If(irq):
        m.d.comb += Assert(enable.any())
