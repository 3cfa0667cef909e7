"""The list of what is proven; ``python -m triodia_sim.formal.proofs NAME FILE`` writes RTLIL."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amaranth.hdl import Elaboratable

from triodia_hw.gateware.collector import IN_FLIGHT
from triodia_hw.gateware.queue import Queue
from triodia_hw.machine.params import MachineParams

from .axi_lite import AxiLite
from .axi_stream import AxiStream
from .broadcast import Broadcast, Promise, Rounds
from .collecting import Collecting, Delivery
from .loop import TRACKED, Loop, loop_params
from .order import COLOUR, Channel
from .runner import formal_rtlil
from .sdram import Commands
from .sums import Sums
from .waiting import Waiting, wheel_params
from .wishbone import Wishbone

__all__ = ["PROOFS", "Proof"]


@dataclass(frozen=True)
class Proof:
    """A property, and how far it is checked: for all time, or for ``bound`` cycles from reset.

    ``reach``: cycles within which all its cover statements must be reached.
    """

    make: Callable[[], Elaboratable]
    bound: int | None = None
    reach: int = 20

    @property
    def mode(self) -> str:
        """Mode of SymbiYosys."""
        return "bmc" if self.bound else "prove"


def _sums(slots: int, weight_bits: int, sum_bits: int, *, single: bool) -> Sums:
    p = MachineParams(
        inputs=1,
        neurons=slots,
        lanes=1,
        payload_bits=1,
        fraction_bits=0,
        weight_bits=weight_bits,
        accumulator_bits=sum_bits,
    )
    return Sums(p, single=single)


def _bus(lanes: int) -> MachineParams:
    """Payloads of as many bits as the colours of all lanes."""
    return MachineParams(
        inputs=1, neurons=lanes, lanes=lanes, payload_bits=COLOUR * lanes, fraction_bits=0
    )


def _loop(lanes: int, tracked: str) -> Loop:
    """With a queue of 8, the least that has room for IN_FLIGHT records."""
    return Loop(loop_params(lanes), tracked, depth=8)


PROOFS = {
    **{
        f"queue of {depth}, {spare} spare": Proof(
            lambda depth=depth, spare=spare: Channel(Queue(COLOUR, depth=depth, spare=spare))
        )
        for depth, spare in ((2, 0), (2, 1), (4, 0), (4, 1), (4, 3), (8, 4))
    },
    **{
        f"collector of {ways}": Proof(lambda ways=ways: Collecting(ways), reach=25)
        for ways in (1, 2, 3)
    },
    "collector to queue": Proof(lambda: Delivery(3, depth=8, spare=IN_FLIGHT + 1), reach=25),
    "bus promise": Proof(lambda: Promise(_bus(3))),
    "bus rounds": Proof(lambda: Rounds(loop_params(1))),
    "bus to fetchers": Proof(lambda: Broadcast(_bus(2), depth=8), bound=16, reach=25),
    "one synapse": Proof(lambda: _sums(2, 2, 2, single=True), bound=20),
    "one synapse, 4 slots": Proof(lambda: _sums(4, 2, 3, single=True), bound=18),
    "any synapses": Proof(lambda: _sums(4, 3, 4, single=False), bound=18),
    **{
        f"loop, {what}": Proof(lambda what=what: _loop(1, what), bound=24, reach=30)
        for what in TRACKED
    },
    **{
        f"loop of 2, {what}": Proof(lambda what=what: _loop(2, what), bound=bound, reach=30)
        for what, bound in (("inputs", 22), ("spikes", 28), ("outputs", 22))
    },
    "wheel, delay 1": Proof(lambda: Waiting(wheel_params((1,))), bound=32, reach=40),
    "wheel, delay 2": Proof(lambda: Waiting(wheel_params((2,))), bound=34, reach=45),
    "wheel, delays 1 and 2": Proof(lambda: Waiting(wheel_params((1, 2))), bound=33, reach=45),
    # The wrappers keep the machine in reset for 16 cycles first.
    "AXI4-Stream wrapper": Proof(AxiStream, reach=30),
    "AXI4-Lite slave": Proof(AxiLite, reach=30),
    "Wishbone slave, any master": Proof(lambda: Wishbone(classic=False), reach=30),
    "Wishbone slave, classic": Proof(lambda: Wishbone(classic=True), reach=30),
    "SDRAM commands": Proof(Commands, reach=40),
}

if __name__ == "__main__":
    Path(sys.argv[2]).write_text(formal_rtlil(PROOFS[sys.argv[1]].make()))
