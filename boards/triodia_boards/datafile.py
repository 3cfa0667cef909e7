"""A board as one data file (TOML): read, checked, and written for a new board.

docs/board.md explains every key. A file may start from a shipped board with ``like`` and give only
what differs.
"""

import re
import tomllib
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from triodia_hw.compile.family import FAMILIES
from triodia_hw.errors import TriodiaError

from .board import Board, is_name, link_depth
from .flow.pll import LIMITS, NoSuchClock, pll_settings
from .parts import PARTS, Part
from .pins import ECP5_PACKAGES, SDRAM, PinGroup, Tools

__all__ = ["BadBoard", "board_of", "new_board", "read_board"]

# Keys of the file and of its sections, with the type of each.
_TOP = dict.fromkeys("name title like family device package speed source".split(), str)
_SECTIONS = {
    "clock": {"pin": str, "mhz": float, "machine_mhz": float, "pll_pin": bool, "attributes": dict},
    "serial": {"rx": str, "tx": str, "connect": str, "attributes": dict},
    "reset": {"pin": str, "active": str, "attributes": dict},
    "sdram": {k: str if n == 1 else list for k, n in SDRAM.items()} | {"attributes": dict},
    "leds": {"pins": list, "active": str, "attributes": dict},
    "resources": dict.fromkeys(("luts", "registers", "blocks", "multipliers"), int),
    "tools": {
        "pack": list,
        **dict.fromkeys(("constraints", "before_bitstream", "after_bitstream"), str),
    },
    "attributes": {},
}
_WORDS = {str: "a string", float: "a number", int: "a whole number", list: "a list of strings"}
_WORDS |= {bool: "true or false", dict: "a table"}
_PIN = re.compile(r"[A-Za-z0-9_]+")
# Oscillators inside FPGAs, none of which keeps time well enough for a serial port.
_INTERNAL = ("SB_HFOSC", "SB_LFOSC", "OSCG", "OSCH", "OSC", "INTERNAL")
# Clocks of machines where a file names none, in MHz.
_CLOCKS = {"ecp5": 100, "ice40": 60, "xilinx": 100}
_SLOW = {"iCE40UP5K": 36}
_LONGEST = 1 << 16
_DATA = files(__package__) / "boards"


class BadBoard(TriodiaError, ValueError):
    """A board file that is missing, damaged, or of a board that cannot be; one sentence."""


def read_board(path: str | Path) -> Board:
    """The board of the data file at ``path``.

    Raises
    ------
    BadBoard
        Naming the file, the key, what it must be and what was given.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise BadBoard(f"The board file {path} cannot be read: {reason}.") from None
    return board_of(text, str(path))


def board_of(text: str, where: str) -> Board:
    """The board that ``text`` describes; errors name the file ``where``."""
    try:
        content = _content(text)
        return _board(content)
    except (BadBoard, NoSuchClock) as error:
        raise BadBoard(f"{where}: {error}") from None


def new_board(name: str, like: str | None = None) -> str:
    """Text of a commented board file called ``name``, complete but for its pins.

    With ``like`` the file takes everything from that shipped board.

    Raises
    ------
    BadBoard
        If a board cannot be called so, or there is no board ``like``.
    """
    _check_name(name)
    if like is not None:
        _shipped(like)
        text = (_DATA / "like.toml.tmpl").read_text()
        return text.replace("NAME", name).replace("LIKE", like)
    return (_DATA / "new.toml.tmpl").read_text().replace("NAME", name)


def _content(text: str) -> dict:
    """The checked keys of a file, those of the board it is like included."""
    if len(text) > _LONGEST:  # a hostile one could take minutes
        raise BadBoard(f"it has {len(text)} characters; a board takes fewer than {_LONGEST}.")
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadBoard(f"it is not TOML: {error}.") from None
    _check_keys(content, _TOP | dict.fromkeys(_SECTIONS, dict), "")
    for section, keys in _SECTIONS.items():
        if section != "attributes":
            _check_keys(content.get(section, {}), keys, f"{section}.")
    if "like" in content:
        base = _shipped(content.pop("like"))
        for key, value in content.items():
            base[key] = base[key] | value if isinstance(value, dict) and key in base else value
        return base
    return content


def _shipped(name: str) -> dict:
    """The keys of a shipped board."""
    file = _DATA / f"{name}.toml"
    if not is_name(name) or not file.is_file():
        raise BadBoard(f"like must be a board that `triodia boards` lists, not {name!r}.")
    return _content(file.read_text())


def _check_keys(table: dict, known: dict[str, type], where: str) -> None:
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean {where}{near[0]}?" if near else f"known are {', '.join(known)}."
            raise BadBoard(f"there is no key {where}{key}; {hint}")
        kind = known[key]
        whole = isinstance(value, int) and not isinstance(value, bool)
        right = whole if kind is int else isinstance(value, kind) or (kind is float and whole)
        if kind is list and right:
            right = all(isinstance(one, str) for one in value)
        if not right:
            raise BadBoard(f"{where}{key} must be {_WORDS[kind]}, not {value!r}.")


def _board(content: dict) -> Board:
    missing = [k for k in ("name", "family", "device", "clock", "serial") if k not in content]
    missing += [
        f"{section}.{key}"
        for section, keys in (("clock", "pin mhz"), ("serial", "rx tx"), ("reset", "pin"))
        if section in content
        for key in keys.split()
        if key not in content[section]
    ]
    if missing:
        raise BadBoard(f"{missing[0]} is missing.")
    _check_name(content["name"])
    part, clock, serial = _part(content), content["clock"], content["serial"]
    groups = {
        "clock": _pins(content, "clock", [clock["pin"]]),
        "serial": _pins(content, "serial", [serial["rx"], serial["tx"]]),
        "leds": _pins(content, "leds", content.get("leds", {}).get("pins", [])),
        "reset": _pins(content, "reset", [content["reset"]["pin"]]) if "reset" in content else None,
        "sdram": _pins(content, "sdram", _sdram(content["sdram"])) if "sdram" in content else None,
    }
    _check_distinct([group for group in groups.values() if group])
    oscillator, machine = _clocks(content)
    tools = content.get("tools", {})
    return Board.of_part(
        part,
        **{key: content[key] for key in ("name", "family", "device")},
        **{key: content.get(key, "") for key in ("title", "package", "speed")},
        **groups,
        oscillator_hz=oscillator,
        clock_hz=machine,
        pll_pin=clock.get("pll_pin", False),
        connect=serial.get("connect", ""),
        tools=Tools(**tools | {"pack": tuple(tools.get("pack", ()))}),
        link_depth=link_depth(content["family"]),
    )


def _sdram(table: dict) -> list[str]:
    """Pins of an SDRAM in order of :data:`.pins.SDRAM`."""
    pins = []
    for name, count in SDRAM.items():
        own = table.get(name, [])
        own = [own] if isinstance(own, str) else own
        if len(own) != count:
            raise BadBoard(f"sdram.{name} must be {count} pins, not {len(own)}.")
        pins += own
    return pins


def _check_name(name: str) -> None:
    if not is_name(name):
        raise BadBoard(
            "name must be at most 40 small letters, digits, dots, dashes and underscores, and "
            f"begin and end with a letter or digit, not {name!r}."
        )


def _part(content: dict) -> Part:
    """What the FPGA holds; checks family, device, package and speed."""
    family, device = content["family"], content["device"]
    if family not in FAMILIES:
        raise BadBoard(f"family must be one of {', '.join(FAMILIES)}, not {family!r}.")
    given = content.get("resources", {})
    if device not in PARTS[family]:
        if family != "xilinx" or len(given) < 4:
            more = "; for another, give all of [resources]" if family == "xilinx" else ""
            known = ", ".join(PARTS[family])
            raise BadBoard(f"device must be one of {known}, not {device!r}{more}.")
        return Part(**given)
    if given:
        raise BadBoard(f"[resources] must be left out: those of the {device} are known.")
    package, speed = content.get("package", ""), content.get("speed", "")
    if family == "ecp5" and package not in ECP5_PACKAGES:
        raise BadBoard(f"package must be one of {', '.join(ECP5_PACKAGES)}, not {package!r}.")
    if family == "ecp5" and speed not in ("6", "7", "8"):
        raise BadBoard(f'speed must be "6", "7" or "8", not {speed!r}.')
    if family in ("ice40", "xilinx") and not package:
        raise BadBoard("package is missing.")
    if family == "xilinx" and not speed:
        raise BadBoard("speed is missing.")
    return PARTS[family][device]


def _pins(content: dict, section: str, pins: list[str]) -> PinGroup:
    """The pins of a section, with the attributes of all pins and its own."""
    table = content.get(section, {})
    for pin in pins:
        if pin.upper() in _INTERNAL and section == "clock":
            raise BadBoard(
                f"clock.pin must be the pin of an oscillator, not {pin}: one inside the FPGA is "
                "off by up to 10 %, and a serial port allows 2 %."
            )
        if pin == "CHANGE_ME":
            raise BadBoard(f"a pin of [{section}] is still CHANGE_ME; write the pin of your board.")
        if not _PIN.fullmatch(pin):
            raise BadBoard(f"the pins of {section} must be names on the package, not {pin!r}.")
    active = table.get("active", "high")
    if active not in ("high", "low"):
        raise BadBoard(f'{section}.active must be "high" or "low", not {active!r}.')
    attributes = content.get("attributes", {}) | table.get("attributes", {})
    for name, value in attributes.items():
        if not isinstance(value, str | int):
            raise BadBoard(f"the attribute {name} of {section} must be a string, not {value!r}.")
    return PinGroup(tuple(pins), tuple(attributes.items()), active == "low")


def _check_distinct(groups: list[PinGroup]) -> None:
    pins = [pin for group in groups for pin in group.pins]
    for pin in pins:
        if pins.count(pin) > 1:
            raise BadBoard(f"pin {pin} must have one purpose, not {pins.count(pin)}.")


def _clocks(content: dict) -> tuple[int, int]:
    """Frequencies of the oscillator and of the machine, in Hz."""
    clock, family = content["clock"], content["family"]
    if not 1 <= clock["mhz"] <= 1000:
        raise BadBoard(f"clock.mhz must be between 1 and 1000, not {clock['mhz']:g}.")
    oscillator = round(clock["mhz"] * 1e6)
    usual = _SLOW.get(content["device"], _CLOCKS.get(family, clock["mhz"]))
    machine = round(clock.get("machine_mhz", usual) * 1e6)
    if machine == oscillator:
        return oscillator, machine
    if family not in LIMITS:
        raise BadBoard(f"clock.machine_mhz must be {clock['mhz']:g}, as the tools time no PLL.")
    pll_settings(oscillator, machine, family)
    return oscillator, machine
