"""Performance counters."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..machine.words import COUNTERS

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Count since reset; each value lags its event by at most 3 cycles.

    Members
    -------
    event, bus_stall, output_stall : In(1). operation : In(lanes), one bit per PE.
    One ``Out(32)`` for each of :data:`COUNTERS`.
    """

    def __init__(self, lanes: int) -> None:
        super().__init__({
            "event": In(1),
            "bus_stall": In(1),
            "output_stall": In(1),
            "operation": In(lanes),
            **{name: Out(32) for name in COUNTERS},
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Registered first: the counters are far from what they count.
        pulses = {
            "events": self.event,
            "bus_stalls": self.bus_stall,
            "output_stalls": self.output_stall,
        }
        for name, pulse in pulses.items():
            seen = Signal(name=f"{name}_seen")
            m.d.sync += [seen.eq(pulse), getattr(self, name).eq(getattr(self, name) + seen)]
        done = Signal.like(self.operation)
        count = Signal(range(len(self.operation) + 1))
        m.d.sync += [
            done.eq(self.operation),
            count.eq(sum(done)),
            self.operations.eq(self.operations + count),
            self.cycles.eq(self.cycles + 1),
        ]
        return m
