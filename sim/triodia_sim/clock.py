"""Clock and reset of the machine in a simulation."""

from cocotb.clock import Clock
from cocotb.handle import SimHandleBase
from cocotb.triggers import RisingEdge, Timer

from .simulators import PERIOD_NS

__all__ = ["power_up", "set_reset"]


async def power_up(dut: SimHandleBase, *, netlist: str | None = None) -> None:
    """Start the clock and hold reset for a few cycles; inputs are 0.

    A netlist with delays comes to rest first, as an FPGA does while it is configured.
    """
    for name in ("i_valid", "i_kind", "i_last", "i_source", "i_payload", "o_ready"):
        getattr(dut, name).value = 0
    set_reset(dut, True)
    if netlist == "ecp5-timed":
        await Timer(4 * PERIOD_NS, unit="ns")
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start(start_high=False)
    for _ in range(4):
        await RisingEdge(dut.clk)
    set_reset(dut, False)


def set_reset(dut: SimHandleBase, active: bool) -> None:
    """Drive `rst`, or `rst_n` of a machine exported with a reset that is active low."""
    if hasattr(dut, "rst_n"):
        dut.rst_n.value = int(not active)
    else:
        dut.rst.value = int(active)
