"""Place and route a core of somebody else between shift registers, as ours is measured."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triodia_boards.catalog import BOARDS
from triodia_boards.flow.synthesis import synthesize
from triodia_boards.flow.toolchain import TOOLCHAINS
from triodia_boards.flow.tools import BuildError
from triodia_hw.export.yosys import run_yosys
from triodia_hw.files import write_atomic

__all__ = ["BOARD", "Source", "clock_of", "place", "probe_verilog"]

BOARD = "ulx3s-85f"  # an ECP5-85F of speed grade 6
_FAMILY = "ecp5"
_WRITE = "write_rtlil top.il"


@dataclass(frozen=True)
class Source:
    """A core in Verilog, to be placed.

    Parameters
    ----------
    module : its top module. files : its sources.
    clock : the clock port whose frequency is reported. clocks : further clock ports.
    parameters : of the module. tied : input ports held at 0.
    """

    module: str
    files: tuple[Path, ...]
    clock: str
    clocks: tuple[str, ...] = ()
    parameters: Mapping[str, int] = field(default_factory=dict)
    tied: frozenset[str] = frozenset()


def place(source: Source, folder: Path, seed: int) -> dict[str, int | float]:
    """Logic cells, registers, block RAMs, multipliers and Fmax of a core on an ECP5-85F.

    The flow is that of our own machine. ``lut4`` counts look-up tables after Yosys; the rest are
    nextpnr's figures. Shift registers at the ports are counted in.

    Raises
    ------
    YosysError, BuildError, DoesNotFit
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "probe.v", probe_verilog(source, _ports(source, folder)).encode())
    run_yosys(
        [*_read(source), "read_verilog probe.v", "hierarchy -top top", "proc", _WRITE],
        folder,
        "elaborate",
    )
    synthesis = synthesize("top", folder, _FAMILY)
    routed = TOOLCHAINS[_FAMILY].place_and_route(BOARDS[BOARD].chip, folder, seed=seed, pins=False)
    clocks = json.loads((folder / "report.json").read_text())["fmax"]
    return {
        "lut4": synthesis.lut4,
        "luts": routed.luts,
        "registers": routed.registers,
        "blocks": routed.blocks,
        "multipliers": routed.multipliers,
        "fmax_mhz": round(clock_of(clocks, "clk"), 2),
    }


def clock_of(clocks: Mapping[str, Mapping[str, float]], name: str) -> float:
    """MHz that nextpnr reports for the clock port ``name``; :class:`BuildError` without any."""
    found = [one["achieved"] for net, one in clocks.items() if name in net.split("$")]
    if not found:
        raise BuildError(f"nextpnr timed {', '.join(clocks) or 'no clock'}, but not {name}")
    return min(found)


def _read(source: Source) -> list[str]:
    return [f'read_verilog -defer -sv "{file.resolve()}"' for file in source.files]


def _ports(source: Source, folder: Path) -> dict[str, tuple[str, int]]:
    """Direction and width of each port, by name."""
    module = source.module
    given = [f"chparam -set {name} {value} {module}" for name, value in source.parameters.items()]
    run_yosys(
        [*_read(source), *given, f"hierarchy -top {module}", "blackbox *", "write_json ports.json"],
        folder,
        "ports",
    )
    modules = json.loads((folder / "ports.json").read_text())["modules"].values()
    top = next(m for m in modules if int(str(m["attributes"].get("top", "0")), 2))
    return {k: (port["direction"], len(port["bits"])) for k, port in top["ports"].items()}


def probe_verilog(source: Source, ports: Mapping[str, tuple[str, int]]) -> str:
    """A module ``top`` with the core between shift registers, so that it needs few pins.

    A register lies before each input (synthesis merges ``given`` with the next bit of ``shift``)
    and two behind each output, which keeps paths through pins out of the result, as in
    :class:`triodia_boards.flow.probe.Probe`.
    """
    clocks = {source.clock: "clk"} | {name: name for name in source.clocks}
    fed = {k: w for k, (way, w) in ports.items() if way == "input" and k not in clocks}
    fed = {k: width for k, width in fed.items() if k not in source.tied}
    seen = {k: width for k, (way, width) in ports.items() if way == "output"}
    joined = {k: f"given[{at}+:{fed[k]}]" for k, at in _offsets(fed).items()}
    joined |= {k: f"ports[{at}+:{seen[k]}]" for k, at in _offsets(seen).items()}
    joined |= clocks | {k: f"{ports[k][1]}'d0" for k in source.tied}
    inputs, outputs = sum(fed.values()), sum(seen.values())
    values = ", ".join(f".{k}({value})" for k, value in source.parameters.items())
    pins = ", ".join([*(f"input {name}" for name in clocks.values()), "input d", "output reg q"])
    return f"""module top({pins});
reg [{inputs - 1}:0] shift, given;
wire [{outputs - 1}:0] ports;
reg [{outputs - 1}:0] taken, out;
reg [7:0] tick;
always @(posedge clk) begin
  shift <= {{shift, d}};
  given <= shift;
  taken <= ports;
  tick <= tick + 1;
  out <= tick == 0 ? taken : out >> 1;
  q <= out[0];
end
{source.module} {f"#({values}) " if values else ""}core(
  {", ".join(f".{k}({wire})" for k, wire in joined.items())});
endmodule
"""


def _offsets(widths: Mapping[str, int]) -> dict[str, int]:
    """First bit of each field, one after the other."""
    names: Sequence[str] = list(widths)
    return {name: sum(widths[k] for k in names[:i]) for i, name in enumerate(names)}
