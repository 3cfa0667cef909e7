"""Move registers around multipliers into the multipliers."""

from dataclasses import dataclass

from .netlist import Netlist, Register

__all__ = ["pack_multipliers"]

_FACTORS = [f"{factor}{k}" for factor in "AB" for k in range(18)]
_PRODUCT = [f"P{k}" for k in range(36)]


@dataclass(frozen=True)
class _Around:
    """Registers before and after a multiplier, by port."""

    before: dict[str, Register]
    behind: dict[str, Register]


def pack_multipliers(n: Netlist) -> int:
    """Move registers before and after multipliers into them; return how many got any.

    Applies where every factor bit except constant 0 comes from a register, and every used product
    bit goes to exactly one register; all on one rising clock, all starting at 0. A factor register
    with other uses stays, and the multiplier gets a copy.
    """
    moved = 0
    for name in n.of_type("MULT18X18D"):
        around = _around(n, name)
        if around:
            _move(n, name, around)
            moved += 1
    return moved


def _around(n: Netlist, name: str) -> _Around | None:
    """Registers that can move into multiplier ``name``, or ``None``."""
    before, behind = {}, {}
    for port in _FACTORS:
        bit = n.bit(name, port)
        if bit in ("0", "x", None):
            continue
        source, _ = n.driver.get(bit, ("", "")) if isinstance(bit, int) else ("", "")
        before[port] = n.registers.get(source)
        if not before[port]:
            return None
    for port in _PRODUCT:
        bit = n.bit(name, port)
        if isinstance(bit, int) and n.uses.get(bit):
            sink, pin = n.only_used_by(bit) or ("", "")
            behind[port] = n.registers.get(sink) if pin == "DI" else None
            if not behind[port]:
                return None
    around = _Around(before, behind)
    return around if _fits(n, name, around) else None


def _fits(n: Netlist, name: str, around: _Around) -> bool:
    cell = n.cells[name]
    both = [*around.before.values(), *around.behind.values()]
    clocks = {register.clock for register in both}
    plain = name not in n.kept and not any(
        cell["parameters"].get(f"REG_{part}_CLK", "NONE") != "NONE"
        for part in ("INPUTA", "INPUTB", "INPUTC", "PIPELINE", "OUTPUT")
    )
    steady = all(
        isinstance(n.bit(name, port), str) for port in ("SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB")
    )
    loops = {r.name for r in around.before.values()} & {r.name for r in around.behind.values()}
    return (
        plain
        and steady
        and not loops
        and {port[0] for port in around.before} == {"A", "B"}
        and bool(around.behind)
        and len(clocks) == 1
        and not next(iter(clocks))[1]
        and not any(register.init for register in both)
    )


def _move(n: Netlist, name: str, around: _Around) -> None:
    cell = n.cells[name]
    for port, register in around.before.items():
        cell["connections"][port] = [register.d]
        n.uses[register.d].append((name, port))
        n.uses[register.q].remove((name, port))
    for port, register in around.behind.items():
        cell["connections"][port] = [register.q]
        n.driver[register.q] = (name, port)
        _remove(n, register)
    for register in set(around.before.values()):
        if not _used(n, register):
            _remove(n, register)
    clock, _ = next(iter(around.before.values())).clock
    for port, bit in {"CLK0": clock, "CE0": "1", "RST0": "0"}.items():
        cell["connections"][port] = [bit]
        cell["port_directions"][port] = "input"
    for part in ("INPUTA", "INPUTB", "OUTPUT"):
        for what in ("CLK", "CE", "RST"):
            cell["parameters"][f"REG_{part}_{what}"] = f"{what}0"
    cell["parameters"]["GSR"] = "DISABLED"


def _used(n: Netlist, register: Register) -> bool:
    return bool(n.uses[register.q]) or register.q in n.kept


def _remove(n: Netlist, register: Register) -> None:
    """Remove a register, also from the candidates of later multipliers."""
    n.uses[register.d].remove((register.name, "DI"))
    del n.cells[register.name], n.registers[register.name]
