"""Plain Yosys on the folder of `triodia verilog`: all families, and areas as of our own flow."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.kit import synthesized
from tests.support.networks import random_image
from triodia_boards.flow.synthesis import synthesize
from triodia_hw.compile.contents import contents
from triodia_hw.compile.options import DEFAULT, QUEUES, Options
from triodia_hw.export.folder import export_folder
from triodia_hw.export.parameters import top_parameters
from triodia_hw.export.rtlil import TOP, core_rtlil
from triodia_hw.machine.image import load_image

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "japanese-vowels.image"
SLOW = ["gowin", "xilinx", "gatemate", "efinix", "nexus", "intel_alm"]
RAMS = "DP16KD|SB_RAM40_4K|SDPB|SDPX9B|DPB|DPX9B|RAMB|CC_BRAM|EFX_RAM|PDPSC16K|M10K"


@pytest.mark.parametrize(
    "family", ["ecp5", "ice40", *(pytest.param(f, marks=pytest.mark.slow) for f in SLOW)]
)
def test_everything_is_mapped(family, tmp_path):
    """To cells of the family; each content memory to block RAM."""
    export_folder(random_image(3, lanes=3, neurons=20), tmp_path, name="net")
    kinds = synthesized(tmp_path, family, "net")
    assert not [kind for kind in kinds if kind.startswith("$") and kind != "$scopeinfo"]
    assert sum(count for kind, count in kinds.items() if re.search(RAMS, kind)) >= 9


@pytest.mark.slow
def test_a_bitstream_for_gatemate(tmp_path):
    """Place-and-route and the packer take the netlist of `make synth`, block RAMs and all."""
    export_folder(random_image(1, lanes=1), tmp_path, "wishbone", name="net")
    kinds = synthesized(tmp_path, "gatemate", "net")
    assert kinds["CC_BRAM_20K"] > 5
    chip = ["--device", "CCGM1A1", "--json", "net.netlist.json", "--router", "router2"]
    how = ["--vopt", "allow-unconstrained", "--vopt", "out=net.txt"]
    tool = Path(sys.executable).parent / "yowasp-nextpnr-himbaechel-gatemate"
    subprocess.run([tool, *chip, *how], cwd=tmp_path, check=True, capture_output=True)
    pack = [tool.with_name("yowasp-gmpack"), "net.txt", "net.bit"]
    subprocess.run(pack, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "net.bit").stat().st_size > 50_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "interface", "parameters"),
    [
        ("ecp5", "wishbone", ""),
        ("ice40", "axi-lite", ""),
        ("ice40", "", "reset_polarity=low,reset_kind=async"),
        ("gowin", "axi-stream", "memory_style=distributed"),
        ("gatemate", "wishbone", "memory_style=auto"),
        ("efinix", "", "reset_polarity=low,reset_kind=async"),
        ("xilinx", "axi-lite", "memory_style=auto"),
    ],
)
def test_other_tops_are_mapped(family, interface, parameters, tmp_path):
    """Buses, resets and memory styles, on one PE with bias and refractory period."""
    image = random_image(5, lanes=1, neurons=8, readouts=1, bias_bits=8, refractory_bits=2)
    how = {"name": "a1", "parameters": top_parameters(parameters, interface)}
    export_folder(image, tmp_path, interface, **how)
    kinds = synthesized(tmp_path, family, "a1")
    assert kinds and not [kind for kind in kinds if kind[0] == "$" and kind != "$scopeinfo"]


# Cells of a family by pattern: look-up tables, registers, block RAMs (halves of a Xilinx's count).
CELLS = {
    "ecp5": ("LUT4", "TRELLIS_FF", "DP16KD|PDPW16KD"),
    "ice40": ("SB_LUT4", "SB_DFF", "SB_RAM40_4K"),
    "gowin": (r"LUT\d", "DFF", "SDPB|SDPX9B|DPB|DPX9B"),
    "xilinx": (r"LUT\d", "FD", "RAMB18E1"),
}
OPTIONS = {
    "ecp5": DEFAULT,
    "ice40": Options(family="ice40", queues=QUEUES),
    "gowin": Options(family="gowin"),
    "xilinx": Options(family="xilinx"),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", CELLS)
def test_as_small_as_our_own_flow(family, tmp_path):
    """Within 10 %, but for registers that our own flow moves into hard blocks of an ECP5."""
    image = load_image(EXAMPLE)
    export_folder(image, tmp_path / "kit", name="net")
    kinds = synthesized(tmp_path / "kit", family, "net")
    theirs = [
        sum(count for kind, count in kinds.items() if re.match(pattern, kind))
        for pattern in CELLS[family]
    ]
    (tmp_path / f"{TOP}.il").write_text(core_rtlil(image.params, contents(image), OPTIONS[family]))
    made = synthesize(TOP, tmp_path, family)
    ours = [made.lut4, made.registers + made.packed.registers, made.blocks]
    print(family, "LUTs, registers, block RAMs:", theirs, "own flow:", ours)
    for their, our in zip(theirs, ours, strict=True):
        assert 0 < their <= 1.1 * our
