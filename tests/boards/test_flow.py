"""The report of a build: synthesis and placement."""

import json
from dataclasses import replace

import pytest

from tests.support.networks import random_image
from triodia_boards.catalog import BOARDS
from triodia_boards.flow import build as flow
from triodia_boards.flow import toolchain
from triodia_boards.flow.pll import NoSuchClock
from triodia_boards.flow.registers import Packed
from triodia_boards.flow.synthesis import Synthesis
from triodia_boards.flow.tools import BuildError
from triodia_hw.errors import FolderInUse
from triodia_hw.lock import alone

USED = {"TRELLIS_COMB": 900, "TRELLIS_FF": 800, "DP16KD": 7, "MULT18X18D": 2}


BOARD = BOARDS["ulx3s-25f"]


def flow_that_reaches(monkeypatch, *reached):
    """Fake placements that reach the given MHz in turn; return the clocks asked for."""
    speeds, clocks = iter(reached), []

    def place(tool, options, folder, package):
        assert tool == "nextpnr-ecp5"
        content = {
            "utilization": {name: {"used": used} for name, used in USED.items()},
            "fmax": {"slow": {"achieved": next(speeds)}, "fast": {"achieved": 202.0}},
        }
        (folder / "report.json").write_text(json.dumps(content))
        (folder / "top.config").write_text("routed")

    packed = Packed(blocks=6, multipliers=2, registers=77, delays=3)
    made = Synthesis(lut4=555, registers=877, packed=packed)
    monkeypatch.setattr(flow, "BoardTop", lambda *_, **o: clocks.append(o["clock_hz"] / 1e6))
    monkeypatch.setattr(flow, "synthesize_top", lambda *_: made)
    monkeypatch.setattr(toolchain, "run_tool", place)
    monkeypatch.setattr(flow, "program", lambda *_: 12)
    return clocks


def build(folder, **options):
    return flow.build(random_image(1, lanes=1), BOARD, folder, progress=lambda _: None, **options)


def test_report(tmp_path, monkeypatch):
    flow_that_reaches(monkeypatch, 101.239)
    report = build(tmp_path, seed=4)
    assert replace(report, seconds=0) == flow.BuildReport(
        board="ulx3s-25f",
        lut4=555,
        luts=900,
        registers=800,
        blocks=7,
        single_port=0,
        multipliers=2,
        packed_registers=77,
        packed_blocks=6,
        packed_multipliers=2,
        delay_registers=3,
        fmax_mhz=101.24,
        clock_mhz=100,
        seed=4,
        router="router1",
        seconds=0,
        bitstream=str(tmp_path / "ulx3s-25f.bit"),
        baked=True,
        patched_slices=12,
    )


def test_a_clock_that_is_not_reached_is_replaced(tmp_path, monkeypatch):
    clocks = flow_that_reaches(monkeypatch, 93.0, 84.0, 81.0)
    assert build(tmp_path).clock_mhz == 80
    assert clocks == [100, 90, 80]


def test_a_clock_that_was_asked_for_is_not(tmp_path, monkeypatch):
    flow_that_reaches(monkeypatch, 93.0)
    text = (
        r"^the design reaches 93.0 MHz on ulx3s-25f and not the clock of 125 MHz; build with a "
        r"slower --clock or fewer lanes$"
    )
    with pytest.raises(BuildError, match=text):
        build(tmp_path, clock_hz=125_000_000)
    assert not (tmp_path / "build.json").exists()


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"clock_hz": 1_000_000_000}, r"^clock must be .* the nearest is 800 MHz$"),
        (
            {"baud": 30_000_000},
            r"^baud must be at most 25000000 with a clock of 100 MHz, not 30000000: a bit takes 4 "
            r"cycles$",
        ),
    ],
)
def test_what_is_refused_leaves_the_finished_build(tmp_path, monkeypatch, asked, text):
    flow_that_reaches(monkeypatch, 101.0)
    build(tmp_path)
    before = (tmp_path / "build.json").read_bytes()
    with pytest.raises(NoSuchClock, match=text):
        build(tmp_path, **asked)
    assert (tmp_path / "build.json").read_bytes() == before


@pytest.mark.parametrize("board", [BOARD, BOARDS["arty-a7-35"]])
def test_one_build_at_a_time_in_a_folder(tmp_path, monkeypatch, board):
    flow_that_reaches(monkeypatch, 101.0)
    before = build(tmp_path) and (tmp_path / "build.json").read_bytes()
    text = r"^Another build is using /\S+\. Wait until it ends, or name another folder\.$"
    with alone(tmp_path, "build"), pytest.raises(FolderInUse, match=text):
        flow.build(random_image(1, lanes=1), board, tmp_path, progress=lambda _: None)
    assert (tmp_path / "build.json").read_bytes() == before
    with alone(tmp_path, "build"):  # the lock was given back
        pass


def test_no_clock_is_slow_enough(tmp_path, monkeypatch):
    flow_that_reaches(monkeypatch, 19.0)
    with pytest.raises(BuildError, match=r"^the design reaches 19.0 MHz on .*$"):
        build(tmp_path)
