"""What a build reports, of synthesis and of placement."""

import json
from dataclasses import replace

from tests.networks import random_image
from triodia_boards import flow, toolchain
from triodia_boards.boards import BOARDS
from triodia_boards.registers import Packed
from triodia_boards.synthesis import Synthesis

USED = {"TRELLIS_COMB": 900, "TRELLIS_FF": 800, "DP16KD": 7, "MULT18X18D": 2}


def test_report(tmp_path, monkeypatch):
    def place(tool, options, folder, package):
        assert tool == "nextpnr-ecp5" and "--seed=4" in options
        content = {
            "utilization": {name: {"used": used} for name, used in USED.items()},
            "fmax": {"slow": {"achieved": 101.239}, "fast": {"achieved": 202.0}},
        }
        (folder / "report.json").write_text(json.dumps(content))
        (folder / "top.config").write_text("routed")

    packed = Packed(blocks=6, multipliers=2, registers=77, delays=3)
    made = Synthesis(lut4=555, registers=877, packed=packed)
    monkeypatch.setattr(flow, "BoardTop", lambda *_: None)
    monkeypatch.setattr(flow, "_synthesize", lambda *_: made)
    monkeypatch.setattr(toolchain, "run_tool", place)
    monkeypatch.setattr(flow, "program", lambda *_: 12)
    board = BOARDS["ulx3s-25f"]
    report = flow.build(random_image(1, lanes=1), board, tmp_path, seed=4, progress=lambda _: None)
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
        clock_mhz=25,
        seed=4,
        router="router1",
        seconds=0,
        bitstream=str(tmp_path / "ulx3s-25f.bit"),
        baked=True,
        patched_slices=12,
    )
