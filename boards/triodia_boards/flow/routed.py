"""Place and route the machine on its own, and make nextpnr's netlist fit for simulation."""

import json
from pathlib import Path

from triodia_hw.export.rtlil import TOP
from triodia_hw.files import write_atomic

from .timed import add_delays, read_sdf
from .tools import BuildError, run_tool

__all__ = ["route", "tie_inputs"]

# The largest ECP5. Out of context: without pins, of which the machine has more than any package.
_OPTIONS = ["--85k", "--package=CABGA756", "--out-of-context"]
_OPTIONS += [f"--json={TOP}.json", "--write=routed.json", "--freq=100", "--timing-allow-fail"]
_ONE = format(1, "032b")

# Cells of which each input has a multiplexer, PORTMUX: 0, 1, INV, or the port's own name.
_BLOCKS = ("DP16KD", "MULT18X18D")
# Ports that pass data on to the next multiplier; Triodia's multipliers do without.
_CHAINS = ("SRI", "SRO", "ROA", "ROB", "ROC")


def route(folder: Path, *, seed: int = 1, delays: float = 0.0) -> None:
    """Place and route the ECP5 netlist ``TOP.json`` in ``folder``; writes ``routed.json``.

    ``routed.json`` has nextpnr's cells and contents, every input tied as :func:`tie_inputs` does.
    With ``delays`` it also has nextpnr's delays, times this factor, at the slow corner of the
    speed grade 6.

    Raises
    ------
    BuildError
        If nextpnr is missing or fails, or uses a cell in a way that has no model.
    """
    run_tool("nextpnr-ecp5", [*_OPTIONS, f"--seed={seed}", "--sdf=routed.sdf"], folder)
    design = json.loads((folder / "routed.json").read_text())
    (module,) = design["modules"].values()
    for name, cell in module["cells"].items():
        tie_inputs(name, cell)
    if delays:
        add_delays(module, read_sdf((folder / "routed.sdf").read_text()), delays)
    write_atomic(folder / "routed.json", json.dumps(design).encode())


def tie_inputs(name: str, cell: dict) -> None:
    """Give the inputs that nextpnr leaves open the value they have on an ECP5, in place.

    Inputs of a look-up table read 1. Those of a block RAM or multiplier read what the input's
    multiplexer says; without one, clock enables read 1 and all others 0. Also sets ``WIDE`` of a
    table whose multiplexer joins the outputs of two others.

    Parameters
    ----------
    name, cell : a cell of nextpnr's JSON.

    Raises
    ------
    BuildError
        For an inverted input of a block RAM or multiplier, or a chain of multipliers.
    """
    ports, parameters = cell["connections"], cell["parameters"]
    if cell["type"] in _BLOCKS:
        _drop_chains(name, ports)
    for port in [p for p in ports if cell["port_directions"].get(p) == "input"]:
        if cell["type"] in _BLOCKS:
            # Yosys' JSON has a blank after a text of digits only.
            mux = parameters.pop(f"{port}MUX", "").strip()
            if ports[port] and mux not in ("", port):
                raise BuildError(f"{name} has input {port} by {mux}, which has no model")
            high = mux in ("1", port) or (not mux and port.startswith(("CE", "OCE")))
        else:
            high = cell["type"] == "TRELLIS_COMB" and port in ("A", "B", "C", "D")
        ports[port] = ports[port] or ["1" if high else "0"]
    if cell["type"] == "TRELLIS_COMB" and not isinstance(ports.get("FXA", ["0"])[0], str):
        parameters["WIDE"] = _ONE


def _drop_chains(name: str, ports: dict) -> None:
    for port in [p for p in ports if p.startswith(_CHAINS)]:
        if ports.pop(port):
            raise BuildError(f"{name} is in a chain of multipliers, which has no model")
