"""A flat netlist of ECP5 cells, from Yosys' JSON: drivers and uses of each net."""

from collections import defaultdict
from dataclasses import dataclass

__all__ = ["Bit", "Netlist", "Register", "number", "setting"]

Bit = int | str  # a net, or a constant: "0", "1", "x"


@dataclass(frozen=True)
class Register:
    """A flip-flop that takes ``d`` at every clock edge: no enable, no reset.

    ``clock``: its net, and whether it uses the falling edge. ``init``: its initial value.
    """

    name: str
    d: int
    q: int
    clock: tuple[Bit, bool]
    init: int


def setting(cell: dict, name: str, default: str = "") -> str:
    """A textual parameter; Yosys adds a space to those that look like bits."""
    return str(cell["parameters"].get(name, default)).strip()


def number(cell: dict, name: str, default: int) -> int:
    """A numeric parameter: in JSON a string of bits."""
    return int(str(cell["parameters"].get(name, bin(default))), 2)


def _keep(entry: dict) -> bool:
    return str(entry.get("attributes", {}).get("keep", "0")).strip("0") != ""


class Netlist:
    """An indexed module of a design; make it anew after changing a cell.

    ``driver`` and ``uses``: (cell, port) by net; ports of the module have cell "". ``registers``:
    registers without enable and reset, by cell name. ``kept``: nets and cells with attribute
    ``keep``, which must not change.
    """

    def __init__(self, module: dict) -> None:
        self.module = module
        self.driver: dict[int, tuple[str, str]] = {}
        self.uses: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for name, port in module["ports"].items():
            # Seen from inside, an input of the module drives.
            inward = {"input": "output", "output": "input"}.get(port["direction"], "inout")
            self._connect("", name, inward, port["bits"])
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                self._connect(name, port, cell["port_directions"][port], bits)
        self.kept = self._find_kept()
        found = (self._register(name) for name in self.of_type("TRELLIS_FF"))
        self.registers = {register.name: register for register in found if register}
        self._nets = max((*self.driver, *self.uses, 1))

    @property
    def cells(self) -> dict[str, dict]:
        """Cells of the module by name."""
        return self.module["cells"]

    def of_type(self, kind: str) -> list[str]:
        """Names of the cells of a type."""
        return [name for name, cell in self.cells.items() if cell["type"] == kind]

    def bit(self, cell: str, port: str) -> Bit | None:
        """Net or constant at a one-bit port; ``None`` if it is unconnected."""
        bits = self.cells[cell]["connections"].get(port)
        return bits[0] if bits else None

    def only_used_by(self, net: int) -> tuple[str, str] | None:
        """The only (cell, port) that uses a changeable net, else ``None``."""
        uses = self.uses.get(net, [])
        return uses[0] if len(uses) == 1 and net not in self.kept else None

    def new_net(self) -> int:
        """A net that nothing drives or uses yet."""
        self._nets += 1
        return self._nets

    def _connect(self, name: str, port: str, direction: str, bits: list[Bit]) -> None:
        for bit in bits:
            if isinstance(bit, int):
                if direction != "input":
                    self.driver[bit] = (name, port)
                if direction != "output":
                    self.uses[bit].append((name, port))

    def _find_kept(self) -> set[int | str]:
        kept = {name for name, cell in self.cells.items() if _keep(cell)}
        for entry in self.module.get("netnames", {}).values():
            if _keep(entry):
                kept.update(bit for bit in entry["bits"] if isinstance(bit, int))
        return kept

    def _register(self, name: str) -> Register | None:
        cell = self.cells[name]
        d, q, clock = (self.bit(name, port) for port in ("DI", "Q", "CLK"))
        free = (
            name not in self.kept
            and setting(cell, "CEMUX", "1") == "1"
            and self.bit(name, "LSR") == "0"
            and setting(cell, "LSRMUX", "LSR") == "LSR"
            and setting(cell, "LSRMODE", "LSR") == "LSR"
            # A register in a hard block gets a global reset differently.
            and setting(cell, "GSR", "ENABLED") == "DISABLED"
            and setting(cell, "CLKMUX", "CLK") in ("CLK", "INV")
        )
        if not free or not isinstance(d, int) or not isinstance(q, int):
            return None
        falling = setting(cell, "CLKMUX", "CLK") == "INV"
        return Register(name, d, q, (clock, falling), int(setting(cell, "REGSET") == "SET"))
