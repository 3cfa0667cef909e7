"""The Amaranth platform of a board: its pins, as the vendor's part of Amaranth wants them."""

from dataclasses import dataclass

from amaranth import *
from amaranth.build import Attrs, Clock, Pins, Platform, Resource, Subsignal
from amaranth.vendor import GowinPlatform, LatticePlatform, SiliconBluePlatform, XilinxPlatform

__all__ = ["ECP5_PACKAGES", "NO_PINS", "NO_TOOLS", "SDRAM", "PinGroup", "Tools", "make_platform"]

# Lines of an SDRAM, and how many of each. A level of 0 selects the chip and gives a command.
SDRAM = {"clk": 1, "cke": 1, "cs": 1, "ras": 1, "cas": 1, "we": 1}
SDRAM |= {"dqm": 2, "ba": 2, "a": 13, "dq": 16}

# Amaranth's names of the packages of an ECP5, by those of the tools.
ECP5_PACKAGES = {
    "CABGA256": "BG256",
    "CSFBGA285": "MG285",
    "CABGA381": "BG381",
    "CABGA554": "BG554",
    "CABGA756": "BG756",
}


@dataclass(frozen=True)
class PinGroup:
    """Pins of one purpose, by name on the package.

    ``attributes`` are pairs of name and value, in the words of the family's tools.
    ``inverted``: low means lit or pressed.
    """

    pins: tuple[str, ...]
    attributes: tuple[tuple[str, object], ...] = ()
    inverted: bool = False


@dataclass(frozen=True)
class Tools:
    """What a board asks of the tools: options of the packer; lines for the vendor's files."""

    pack: tuple[str, ...] = ()
    constraints: str = ""
    before_bitstream: str = ""
    after_bitstream: str = ""


NO_PINS, NO_TOOLS = PinGroup(()), Tools()


def make_platform(board: object, *, split: bool = False) -> Platform:
    """The platform of a :class:`.board.Board`.

    ``split``, for simulation: the SDRAM's data lines are inputs, with pins of their own, ``dq_o``
    and ``dq_oe``, for what the FPGA drives.

    Resources: ``clk``, ``uart`` with rx and tx, ``led`` 0 and on, ``button`` if the board has one
    that resets, and ``sdram`` if it has that.
    """
    base, members = _FAMILIES[board.family]
    name = f"{board.family.capitalize()}Board"
    resources = {"resources": _resources(board, split), "connectors": [], "default_clk": "clk"}
    return type(name, (base,), resources | members(board) | {"split": split})()


def _resources(board: object, split: bool) -> list[Resource]:
    def attributes(group: PinGroup) -> Attrs:
        return Attrs(**dict(group.attributes))

    clock, serial = board.clock, board.serial
    rx, tx = serial.pins
    found = [
        Resource(
            "clk", 0, Pins(*clock.pins, dir="i"), Clock(board.oscillator_hz), attributes(clock)
        ),
        Resource(
            "uart",
            0,
            Subsignal("rx", Pins(rx, dir="i", assert_width=1)),
            Subsignal("tx", Pins(tx, dir="o", assert_width=1)),
            attributes(serial),
        ),
    ]
    for number, pin in enumerate(board.leds.pins):
        pins = Pins(pin, dir="o", invert=board.leds.inverted)
        found.append(Resource("led", number, pins, attributes(board.leds)))
    if board.reset is not None:
        pins = Pins(*board.reset.pins, dir="i", invert=board.reset.inverted)
        found.append(Resource("button", 0, pins, attributes(board.reset)))
    if board.sdram is not None:
        left, lines = list(board.sdram.pins), []
        for name, count in SDRAM.items():
            own, left = " ".join(left[:count]), left[count:]
            way = "o" if name != "dq" else "i" if split else "io"
            lines.append(Subsignal(name, Pins(own, dir=way)))
        if split:
            names = " ".join(f"dq_o_{k}" for k in range(SDRAM["dq"]))
            lines += [
                Subsignal("dq_o", Pins(names, dir="o")),
                Subsignal("dq_oe", Pins("oe", dir="o")),
            ]
        found.append(Resource("sdram", 0, *lines, attributes(board.sdram)))
    return found


def _lattice(board: object) -> dict[str, object]:
    package = ECP5_PACKAGES[board.package]
    return {"device": board.device, "package": package, "speed": board.speed}


def _silicon_blue(board: object) -> dict[str, object]:
    return {"device": board.device, "package": board.package}


def _gowin(board: object) -> dict[str, object]:
    # Amaranth would read the chip from the part; the table of parts knows it already.
    chip = {"family": board.part.chip, "_chipdb_device": board.part.chip}
    return chip | {"part": board.device, "parse_part": lambda self: None}


def _xilinx(board: object) -> dict[str, object]:
    return {
        "device": board.device,
        "package": board.package,
        "speed": board.speed,
        "tools": board.tools,
    }


class _Vivado(XilinxPlatform):
    """The vendor's build plan with RTLIL instead of Verilog."""

    @property
    def file_templates(self) -> dict[str, str]:
        """Files of the build plan, by name."""
        files = dict(super().file_templates)
        del files["{{name}}.v"], files["{{name}}.debug.v"]
        return files | {"{{name}}.il": "{{emit_rtlil()}}"}

    def toolchain_prepare(self, fragment: Fragment, name: str, **how: object) -> object:
        """The build plan, with the board's own lines."""
        lines = {
            "add_constraints": self.tools.constraints,
            "script_before_bitstream": self.tools.before_bitstream,
            "script_after_bitstream": self.tools.after_bitstream.replace("NAME", name),
        }
        return super().toolchain_prepare(
            fragment, name, **{key: text for key, text in lines.items() if text}, **how
        )


_FAMILIES = {
    "ecp5": (LatticePlatform, _lattice),
    "ice40": (SiliconBluePlatform, _silicon_blue),
    "gowin": (GowinPlatform, _gowin),
    "gw5a": (GowinPlatform, _gowin),
    "xilinx": (_Vivado, _xilinx),
}
