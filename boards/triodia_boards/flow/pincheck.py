"""Ask the tools whether a board's pins exist, before any synthesis."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from ..board import Board
from ..datafile import BadBoard
from .toolchain import TOOLCHAINS
from .tools import BuildError, run_tool

__all__ = ["check_pins"]

_ERROR = re.compile(r"ERROR: (.*)")


def check_pins(board: Board) -> None:
    """Place a wire between the pins of ``board``; seconds, also for large FPGAs.

    Boards of the vendor's tools are not checked: their tools say it.

    Raises
    ------
    BadBoard
        If a pin is not on the package or cannot be used so, with what the tool says.
    """
    if board.family not in TOOLCHAINS:
        return
    tools = TOOLCHAINS[board.family]
    with TemporaryDirectory(prefix="triodia-pins-") as scratch:
        folder = Path(scratch)
        (folder / "top.json").write_text(json.dumps(_netlist(board)))
        (folder / tools.pins).write_text("".join(_constraints(board)))
        options = [
            *board.chip,
            *tools.options,
            "--json=top.json",
            f"--{tools.pins_option}={tools.pins}",
        ]
        options += [f"--{tools.output}=top.out", "--timing-allow-fail"]
        try:
            run_tool(tools.program, options, folder, tools.package)
        except BuildError as error:
            log = folder / f"{tools.program}.log"
            found = _ERROR.findall(log.read_text(errors="replace")) if log.exists() else []
            if not found:
                raise
            said = re.sub(r" \(on line \d+\)|\$tr_io", "", found[0])
            raise BadBoard(f"the tools refuse a pin of {board.name}: {said}") from error


def _ports(board: Board) -> dict[str, tuple[str, str]]:
    """Direction and pin of each port."""
    rx, tx = board.serial.pins
    ports = {"clk": ("input", board.clock.pins[0]), "rx": ("input", rx), "tx": ("output", tx)}
    if board.reset is not None:
        ports["button"] = ("input", board.reset.pins[0])
    return ports | {f"led_{k}": ("output", pin) for k, pin in enumerate(board.leds.pins)}


def _netlist(board: Board) -> dict:
    """A module whose outputs all are its receive pin, as Yosys' JSON.

    nextpnr adds the buffers of pins itself, but for Gowin.
    """
    ports, cells, names = {}, {}, _ports(board)
    bits = {name: 2 + number for number, name in enumerate(names)}
    buffered = board.family in ("gowin", "gw5a")
    for name, (direction, _) in names.items():
        is_input = direction == "input"
        own = bits[name] if is_input or buffered else bits["rx"]
        ports[name] = {"direction": direction, "bits": [own]}
        inside = [len(names) + (bits[name] if is_input else bits["rx"])]
        if buffered:
            pin, other = ("I", "O") if is_input else ("O", "I")
            cells[f"{name}_buffer"] = {
                "type": "IBUF" if is_input else "OBUF",
                "parameters": {},
                "attributes": {},
                "port_directions": {"I": "input", "O": "output"},
                "connections": {pin: [own], other: inside},
            }
    top = {"attributes": {"top": "1"}, "ports": ports, "cells": cells, "netnames": {}}
    return {"creator": "triodia", "modules": {"top": top}}


def _constraints(board: Board) -> list[str]:
    """Lines that bind each port to its pin, in the family's format."""
    line = {
        "ecp5": 'LOCATE COMP "{0}" SITE "{1}";\nIOBUF PORT "{0}" IO_TYPE=LVCMOS33;\n',
        "ice40": "set_io {0} {1}\n",
        "gowin": 'IO_LOC "{0}" {1};\n',
        "gw5a": 'IO_LOC "{0}" {1};\n',
    }[board.family]
    return [line.format(name, pin) for name, (_, pin) in _ports(board).items()]
