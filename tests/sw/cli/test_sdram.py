"""Commands on a network whose synapses lie in an SDRAM, and what they refuse."""

import json

import numpy as np
import pytest

from tests.support.commands import call, ok
from triodia.network.files import save_network
from triodia.network.random import new_network
from triodia.nn import with_inputs
from triodia_hw.machine.image import load_image


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A network with inputs and readouts, and samples for it."""
    folder = tmp_path_factory.mktemp("sdram")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 8, 5)).astype(np.float32)
    np.savez(folder / "samples.npz", x=x, y=np.arange(4) % 2)
    save_network(with_inputs(new_network(40, 0, density=0.5), x, 2), folder / "a.net")
    return folder


def quantized(files, *more):
    data = ("--data", files / "samples.npz")
    return (
        "quantize",
        files / "a.net",
        "-o",
        files / "a.image",
        "--synapses",
        "sdram",
        *data,
        *more,
    )


def test_the_image_says_where_synapses_lie(files, capsys):
    result = ok(capsys, *quantized(files))
    p = load_image(files / "a.image").params
    assert p.external and p.lanes == result["lanes"] == 1
    assert p.weight_bits + p.gap_width <= 16
    assert result["smallest_board"] == "ulx3s-12f"
    ok(capsys, "verilog", files / "a.image", "-o", files / "rtl")
    ports = json.loads((files / "rtl" / "triodia.json").read_text())["ports"]
    assert sum(port["name"].startswith("sdram_") for port in ports) == 10
    assert (files / "rtl" / "triodia_with_sdram.v").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--lanes", 4], "lanes must be 1 with synapses in SDRAM, not 4"),
        (["--weight-bits", 16], "synapse words must be at most 16 bits in SDRAM, not 17"),
        (["--board", "icebreaker"], "icebreaker has no SDRAM for the synapses; take one of ulx3s"),
        (["--synapses", "disk"], "`--synapses` must be chip or sdram, got disk."),
        (["--synapses", "sdram", "--shared-rows"], "`--shared-rows` is for synapses on the chip"),
    ],
)
def test_what_cannot_be_is_refused(more, message, files, capsys):
    code, out, err = call(capsys, *quantized(files, "--output", files / "b.image", *more))
    assert (code, out) == (2, "") and message in err
    assert len(err.strip().splitlines()) == 1
    assert not (files / "b.image").exists()


def test_buses_and_boards_without_memory_are_refused(files, capsys):
    ok(capsys, *quantized(files))
    for interface in ("axi-stream", "axi-lite", "wishbone"):
        where = files / interface
        code, _, err = call(
            capsys, "verilog", files / "a.image", "-o", where, "--interface", interface
        )
        assert code == 2 and "has no ports for the SDRAM" in err and not where.exists()
    code, _, err = call(
        capsys, "build", files / "a.image", "--board", "icebreaker", "-o", files / "bits"
    )
    assert code == 2 and "icebreaker has no SDRAM" in err
    arguments = ("--data", files / "samples.npz", "--netlist", "ecp5")
    code, _, err = call(capsys, "cosim", files / "a.image", *arguments)
    assert code == 2 and "`--netlist` does not know the SDRAM" in err


def test_boards_say_what_their_memory_holds(capsys):
    rows = ok(capsys, "boards", "--board", "ulx3s-85f", "--neurons", 4096)["boards"]
    assert rows[0]["sdram"] == 1 << 24 > 50 * rows[0]["lanes_1"]
    assert ok(capsys, "boards", "--board", "icebreaker")["boards"][0]["sdram"] is None
