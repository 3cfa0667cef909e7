"""When things happen: how many steps later than in the graph a population runs here."""

from dataclasses import dataclass

from triodia_hw.errors import TriodiaError

from .drive import Source
from .parts import Parts

__all__ = ["Timing", "find_timing"]

_HELP = "--timing pipelined imports any graph, with a step for each connection"


@dataclass(frozen=True)
class Timing:
    """``depth`` of each population: steps it runs behind the graph; ``delay``: the readouts';
    ``lead``: the inputs', which take that many steps of silence in front of them.

    "layered": a spike reaches the next population in the same step of the graph, as simulators
    that go through the layers in turn have it, and its own population a step later. Here it takes a
    step both times, so each layer runs a step behind the one before. "pipelined": a spike takes a
    step on every connection in the graph too; nothing is late.
    """

    depth: dict[str, int]
    delay: int
    lead: int = 0
    layered: bool = False

    def waits(self, source: Source, target: str | None, inputs: str) -> int:
        """Steps that spikes of ``source`` wait, beyond the one of a synapse, to reach ``target``.

        ``target`` is a population, or None for the readouts; ``inputs`` names the Input, whose
        events take no step at all.
        """
        name, delay = source
        if not self.layered or name == target:
            return delay
        arrives = self.delay if target is None else self.depth[target]
        return delay + arrives - (self.lead if name == inputs else self.depth[name] + 1)


def find_timing(timing: str, parts: Parts) -> Timing:
    """When the populations and readouts of ``parts`` run.

    A bias that goes into a current cannot begin in the very first step here, as only what arrives
    does; where there is one all runs a step later: ``lead``.

    Raises
    ------
    TriodiaError
        If, layered, populations feed each other in a loop.
    """
    found = Timing(dict.fromkeys(parts.into, 0), 0) if timing == "pipelined" else _layered(parts)
    first = [n for n, late in found.depth.items() if not late]
    filtered = [parts.into[n].bias.any() for n in first if parts.cells[n].current]
    if parts.readout and parts.readout.current and not found.delay:
        filtered.append(parts.out.bias.any())
    if not any(filtered):
        return found
    later = {n: late + 1 for n, late in found.depth.items()}
    return Timing(later, found.delay + 1, 1, found.layered)


def _layered(parts: Parts) -> Timing:
    into, source = parts.into, parts.source
    before = {name: drive.nodes - {source, name} for name, drive in into.items()}
    depth: dict[str, int] = {}
    while len(depth) < len(into):
        ready = [n for n in into if n not in depth and before[n] <= depth.keys()]
        if not ready:
            loop = ", ".join(repr(n) for n in into if n not in depth)
            raise TriodiaError(f"populations {loop} feed each other in a loop; {_HELP}")
        for name in ready:
            depth[name] = max((depth[b] + 1 for b in before[name]), default=0)
    return Timing(depth, max(depth[s] + 1 for s in parts.out.nodes), layered=True)
