"""Every shipped board with open tools: its pins, and a bitstream of a small network."""

from dataclasses import replace

import pytest

from tests.support.networks import random_image
from triodia_boards.catalog import BOARDS
from triodia_boards.datafile import BadBoard
from triodia_boards.flow.build import build
from triodia_boards.flow.limits import DoesNotFit, check_fit, needs
from triodia_boards.flow.pincheck import check_pins
from triodia_boards.flow.toolchain import TOOLCHAINS
from triodia_boards.pins import PinGroup

OPEN = [name for name, board in BOARDS.items() if board.family in TOOLCHAINS]


@pytest.mark.parametrize(
    ("name", "pin"), [("ulx3s-25f", "ZZ9"), ("hx8k-evb", "A3"), ("tang-nano-9k", "500")]
)
def test_a_pin_that_the_device_lacks(name, pin):
    """Said in one sentence, before synthesis; the shipped pins pass."""
    board = BOARDS[name]
    check_pins(board)
    other = replace(board, serial=PinGroup((pin, board.serial.pins[1])))
    with pytest.raises(BadBoard, match=rf"^the tools refuse a pin of {name}: .*{pin}.*$"):
        check_pins(other)
    with pytest.raises(BadBoard, match=rf"^the tools refuse a pin of {name}: "):
        build(random_image(1, lanes=1, state_bits=16), other, "never", progress=lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPEN)
def test_pins(name):
    check_pins(BOARDS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", OPEN)
def test_a_bitstream(name, tmp_path):
    """One PE and 12 neurons; the logic is as foretold. An iCEstick is too small for the link."""
    board, image = BOARDS[name], random_image(1, lanes=1, state_bits=16)
    if name == "icestick":
        with pytest.raises(DoesNotFit, match=r"^icestick has 1280 look-up tables and the machine "):
            build(image, board, tmp_path)
        return
    report = build(image, board, tmp_path, progress=lambda _: None)
    assert (tmp_path / f"{name}{TOOLCHAINS[board.family].suffix}").stat().st_size > 20_000
    assert report.bitstream and report.clock_mhz <= board.clock_hz / 1e6
    need = needs(image.params, board, check_fit(image.params, board))
    assert report.blocks == need.blocks and report.luts <= board.luts
    assert abs(report.luts / need.luts - 1) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BOARDS if name not in OPEN])
def test_files_for_the_vendor(name, tmp_path):
    """Verilog, constraints and script; synthesis by Yosys takes the block RAMs promised."""
    board, image = BOARDS[name], random_image(1, lanes=1)
    report = build(image, board, tmp_path, progress=lambda _: None)
    need = needs(image.params, board, check_fit(image.params, board))
    assert report.blocks == need.blocks and report.bitstream is None
    script, pins = ((tmp_path / f"top.{kind}").read_text() for kind in ("tcl", "xdc"))
    part = f"{board.device}{board.package}-{board.speed}"
    assert f"-part {part}" in script and f"-period {1e9 / board.oscillator_hz}" in pins
    for pin in (*board.serial.pins, *board.clock.pins, *board.leds.pins):
        assert f"set_property LOC {pin} " in pins
    cell = "MMCME2_BASE" if board.oscillator_hz < 19e6 else "PLLE2_BASE"
    made = board.oscillator_hz != board.clock_hz
    assert (cell in (tmp_path / "top.v").read_text()) == made
