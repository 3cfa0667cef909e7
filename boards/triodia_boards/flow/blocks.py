"""Move registers after block RAMs into the block RAMs' output registers."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

from .netlist import Bit, Netlist, Register, number, setting

__all__ = ["pack_blocks"]

# Logic that a register can move through: (inputs from anywhere, inputs from such logic only).
# A multiplexer's data inputs are wires inside its slice, where no register fits in between.
_LOGIC = {
    "LUT4": (("A", "B", "C", "D"), ()),
    "PFUMX": (("C0",), ("ALUT", "BLUT")),
    "L6MUX21": (("SD",), ("D0", "D1")),
}


@dataclass(frozen=True)
class _Cone:
    """Logic between ``outputs`` of block RAMs, other nets (``leaves``), and a register."""

    cells: tuple[str, ...] = ()
    leaves: frozenset[int] = frozenset()
    outputs: frozenset[int] = frozenset()

    def __add__(self, other: "_Cone") -> "_Cone":
        return _Cone(
            self.cells + other.cells, self.leaves | other.leaves, self.outputs | other.outputs
        )


def pack_blocks(n: Netlist) -> tuple[int, int]:
    """Move registers after block RAMs into them; return the blocks, and the registers added.

    A register moves if its data is a block RAM output, or logic whose inner nets each have one use.
    Every other net into that logic then gets a delay register, shared by its uses there. A block
    takes all its registers or none: every use of its outputs must lead to one, on the clock of the
    reading port. Where blocks share a register, all take theirs or none.
    """
    cones = {}
    for name, register in n.registers.items():
        cone = _cone(n, register.d)
        if n.only_used_by(register.d) and cone and cone.outputs and _fits(n, register, cone):
            cones[name] = cone
    blocks = _agree(n, cones)
    delays: dict[tuple[int, tuple], int] = {}
    for name, cone in cones.items():
        _move(n, n.registers[name], cone, delays)
    for name in blocks:
        _use_output_registers(n.cells[name])
    return len(blocks), len(delays)


def _cone(n: Netlist, net: Bit, only_logic: bool = False) -> _Cone | None:
    """Logic cone before ``net``; ``None`` if ``only_logic`` is asked for and absent."""
    if isinstance(net, str):
        return None if only_logic else _Cone()
    name, port = n.driver.get(net, ("", ""))
    kind = n.cells[name]["type"] if name else ""
    if kind == "DP16KD" and port.startswith("DO"):
        return _Cone(outputs=frozenset({net}))
    if kind in _LOGIC and n.only_used_by(net) and name not in n.kept:
        parts = [
            _cone(n, n.bit(name, pin) if n.bit(name, pin) is not None else "0", bound)
            for bound, pins in zip((False, True), _LOGIC[kind], strict=True)
            for pin in pins
        ]
        if None not in parts:
            whole = sum(parts, _Cone((name,)))
            if only_logic or whole.outputs:
                return whole
    return None if only_logic else _Cone(leaves=frozenset({net}))


def _fits(n: Netlist, register: Register, cone: _Cone) -> bool:
    """Whether the clocks agree, and the register's initial value is its logic's value of zeros."""
    clocks = {_clock(n, *n.driver[net]) for net in cone.outputs}
    return clocks == {register.clock} and register.init == _of_zeros(n, register.d, cone)


def _clock(n: Netlist, block: str, output: str) -> tuple[Bit | None, bool]:
    """Clock of the reading port; for 36-bit words that is B, for both halves."""
    side = "B" if number(n.cells[block], "DATA_WIDTH_A", 18) == 36 else output[2]
    mux = setting(n.cells[block], f"CLK{side}MUX", f"CLK{side}")
    return n.bit(block, f"CLK{side}"), mux == "INV"


def _of_zeros(n: Netlist, net: Bit, cone: _Cone) -> int:
    """Value of ``net`` when every input of the cone is 0."""
    if isinstance(net, str):
        return int(net == "1")
    name, _ = n.driver.get(net, ("", ""))
    if name not in cone.cells:
        return 0
    cell = n.cells[name]
    free, bound = _LOGIC[cell["type"]]
    pins = (_of_zeros(n, n.bit(name, pin) or "0", cone) for pin in (*free, *bound))
    if cell["type"] == "LUT4":
        place = sum(value << k for k, value in enumerate(pins))
        return number(cell, "INIT", 0) >> place & 1
    select, first, second = pins
    # PFUMX names the one it takes for 1 first.
    return first if select == (cell["type"] == "PFUMX") else second


def _agree(n: Netlist, cones: dict[str, _Cone]) -> set[str]:
    """Blocks that take their registers; drops from ``cones`` what cannot move."""
    blocks = {name for name in n.of_type("DP16KD") if _eligible(n, name)}
    while True:
        moving = {net for cone in cones.values() for net in cone.outputs}
        inside = {cell for cone in cones.values() for cell in cone.cells} | set(cones)
        good = {name for name in blocks if _leaves_by(n, name, moving, inside)}
        stays = [
            name
            for name, cone in cones.items()
            if any(n.driver[net][0] not in good for net in cone.outputs)
        ]
        if not stays:
            return good
        for name in stays:
            del cones[name]


def _eligible(n: Netlist, block: str) -> bool:
    """Whether only the clock controls the outputs, and no output register is in use."""
    cell = n.cells[block]
    wide = [number(cell, f"DATA_WIDTH_{side}", 18) == 36 for side in "AB"]
    # Reading 36 bits through a block that is not written so: nobody says by which clock.
    if block in n.kept or wide == [False, True]:
        return False
    sides = "B" if wide[0] else sorted({port[2] for port in _outputs(n, block)})
    return all(
        n.bit(block, f"CE{side}") == "1"
        and n.bit(block, f"RST{side}") == "0"
        and setting(cell, f"REGMODE_{side}", "NOREG") == "NOREG"
        and all(n.bit(block, f"CS{side}{k}") == "0" for k in range(3))
        and setting(cell, f"CSDECODE_{side}", "0b000") == "0b000"
        for side in sides
    )


def _outputs(n: Netlist, block: str) -> dict[str, int]:
    """Used outputs of a block, by port."""
    ports = n.cells[block]["connections"]
    return {
        port: bits[0]
        for port, bits in ports.items()
        if port.startswith("DO") and bits and n.uses.get(bits[0])
    }


def _leaves_by(n: Netlist, block: str, moving: set[int], inside: set[str]) -> bool:
    """Whether at least one output is used, and all used ones lead only to registers that move.

    ``inside``: the registers that move, and the logic before them.
    """
    nets = _outputs(n, block).values()
    return bool(nets) and all(
        net in moving and net not in n.kept and all(cell in inside for cell, _ in n.uses[net])
        for net in nets
    )


def _move(n: Netlist, register: Register, cone: _Cone, delays: dict) -> None:
    """Remove ``register`` and delay the other inputs of its logic."""
    cell = n.cells.pop(register.name)
    for leaf in sorted(cone.leaves):
        if (leaf, register.clock) not in delays:
            delays[leaf, register.clock] = delayed = n.new_net()
            later = copy.deepcopy(cell)
            later["connections"] |= {"DI": [leaf], "Q": [delayed]}
            later["parameters"]["REGSET"] = "RESET"
            n.cells[f"{register.name}$delay${leaf}"] = later
    for name in cone.cells:
        later = {leaf: delays[leaf, register.clock] for leaf in cone.leaves}
        pins = (pin for group in _LOGIC[n.cells[name]["type"]] for pin in group)
        _rewire(n.cells[name], pins, later)
    name, port = n.driver[register.d]
    _rewire(n.cells[name], [port], {register.d: register.q})


def _rewire(cell: dict, pins: Iterable[str], nets: dict[int, int]) -> None:
    for pin in pins:
        bits = cell["connections"].get(pin, [])
        cell["connections"][pin] = [nets.get(bit, bit) for bit in bits]


def _use_output_registers(cell: dict) -> None:
    """Enable the output registers on both sides: a 36-bit word uses both."""
    for side in "AB":
        cell["parameters"][f"REGMODE_{side}"] = "OUTREG"
        cell["connections"][f"OCE{side}"] = ["1"]
        cell["port_directions"][f"OCE{side}"] = "input"
