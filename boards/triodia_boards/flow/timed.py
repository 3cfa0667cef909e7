"""Delays of a routed netlist: what nextpnr says of cells and wires (SDF), as cells that wait."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["DELAY_CELL", "Delays", "add_delays", "read_sdf"]

DELAY_CELL = "TRIODIA_DELAY"

_CLOCK = re.compile(r"CLK|WCK")  # ports that registers, block RAMs and multipliers wait for
_TRIPLE = r"\(-?[\d.]*:-?[\d.]*:(-?[\d.]+)\)"
_WIRE = re.compile(rf"\(INTERCONNECT \S+ (\S+)/(\w+) {_TRIPLE} {_TRIPLE}\)")
_PATH = re.compile(rf"\(IOPATH (\w+) (\w+) {_TRIPLE} {_TRIPLE}\)")
_SETUP = re.compile(rf"\(SETUPHOLD \(\w+ (\w+)\) \(\w+ \w+\) {_TRIPLE} {_TRIPLE}\)")
_INSTANCE = re.compile(r"\(INSTANCE (\S+)\)")


@dataclass
class Delays:
    """Slowest delays in picoseconds.

    ``wires``: to ``(cell, input)``, and what the input needs before the clock. ``paths``: through
    a cell, by ``(cell, output)``, then by input; from a clock too.
    """

    wires: dict[tuple[str, str], float] = field(default_factory=dict)
    paths: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)


def read_sdf(text: str) -> Delays:
    """Delays of an SDF file (IEEE 1497) as nextpnr writes it, the slowest of each."""
    delays = Delays()
    for cell, port, rise, fall in _WIRE.findall(text):
        delays.wires[_name(cell), port] = max(float(rise), float(fall))
    for part in text.split("(CELLTYPE ")[1:]:
        instance = _INSTANCE.search(part)
        if instance is None:
            continue  # the design itself, which has the wires
        cell = _name(instance[1])
        for start, end, rise, fall in _PATH.findall(part):
            delays.paths.setdefault((cell, end), {})[start] = max(float(rise), float(fall))
        setups: dict[str, float] = {}
        for port, setup, _ in _SETUP.findall(part):
            setups[port] = max(setups.get(port, 0), float(setup))
        for port, setup in setups.items():
            delays.wires[cell, port] = delays.wires.get((cell, port), 0) + setup
    return delays


def add_delays(module: dict, delays: Delays, scale: float = 1.0) -> int:
    """Put a cell that waits in front of each slow input and behind each slow output, in place.

    A cell with several outputs becomes one for each, because an input may be faster to one than to
    another. Clocks arrive everywhere at once, as nextpnr assumes. Hold times are not checked.

    Parameters
    ----------
    module : a module of nextpnr's JSON. scale : factor of all delays.

    Returns
    -------
    Number of cells that wait.
    """
    nets = _Nets(module)
    for name, cell in list(module["cells"].items()):
        ways, ports = cell["port_directions"], cell["connections"]
        outputs = [p for p, bits in ports.items() if ways.get(p) == "output" and bits]
        through = [p for p in outputs if set(delays.paths.get((name, p), {})) - _clocks(ports)]
        for index, output in enumerate(through or [None]):
            one = {p: list(bits) for p, bits in ports.items() if p not in through or p == output}
            paths = delays.paths.get((name, output), {})
            for port in one:
                if port in outputs:
                    starts = delays.paths.get((name, port), {})
                    wait = max((starts[c] for c in _clocks(ports) & starts.keys()), default=0)
                    one[port] = nets.before(one[port], scale * wait)
                elif not _CLOCK.match(port):
                    wait = delays.wires.get((name, port), 0) + paths.get(port, 0)
                    one[port] = nets.after(one[port], scale * wait)
            copy = f"{name}${output}" if index else name
            module["cells"][copy] = cell | {"connections": one}
    module["cells"] |= nets.cells
    return len(nets.cells)


class _Nets:
    """New nets, each behind a cell that waits."""

    def __init__(self, module: dict) -> None:
        self.free = 1 + max(bit for bit in _bits(module) if isinstance(bit, int))
        self.cells: dict[str, dict] = {}

    def after(self, bits: list, delay: float) -> list:
        """Nets that follow ``bits``."""
        return [self._wait(bit, self.free, delay, self.free) for bit in bits]

    def before(self, bits: list, delay: float) -> list:
        """Nets that ``bits`` follow."""
        return [self._wait(self.free, bit, delay, self.free) for bit in bits]

    def _wait(self, start: int | str, end: int | str, delay: float, new: int) -> int | str:
        old = end if start == new else start
        if round(delay) <= 0 or isinstance(old, str):
            return old
        self.cells[f"delay${new}"] = _wait(int(start), int(end), round(delay))
        self.free += 1
        return new


def _clocks(ports: dict) -> set[str]:
    return {port for port in ports if _CLOCK.match(port)}


def _wait(before: int, after: int, picoseconds: int) -> dict:
    return {
        "type": DELAY_CELL,
        "parameters": {"PS": format(picoseconds, "032b")},
        "attributes": {},
        "port_directions": {"I": "input", "O": "output"},
        "connections": {"I": [before], "O": [after]},
    }


def _bits(module: dict) -> Iterator[int | str]:
    for cell in module["cells"].values():
        for bits in cell["connections"].values():
            yield from bits
    for net in (*module["ports"].values(), *module["netnames"].values()):
        yield from net["bits"]


def _name(cell: str) -> str:
    """A cell's name without SDF's escapes."""
    return cell.replace("\\", "")
