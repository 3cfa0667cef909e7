"""Patch another network into a finished build with the real tools; refuse what cannot be done."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.support.commands import call, ok
from tests.support.networks import random_image
from triodia_boards.catalog import BOARDS
from triodia_boards.flow.build import build
from triodia_boards.flow.formats import FORMATS
from triodia_boards.flow.limits import LINK_BLOCKS, check_fit
from triodia_boards.flow.manifest import BadBuild, Manifest
from triodia_boards.flow.patch import read_back
from triodia_boards.flow.program import placeholder, program, reprogram
from triodia_boards.flow.tools import BuildError, run_tool
from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.family import ICE40
from triodia_hw.compile.options import Options
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.cost.resources import block_rams, single_port_rams
from triodia_hw.errors import ContractError
from triodia_hw.export.rtlil import memory_name
from triodia_hw.machine.image import save_image

BOARD = BOARDS["ulx3s-25f"]
FIRST = random_image(1, lanes=1)


def other(image):
    """Another network for the same machine: weights, thresholds and places all change."""
    least = -(1 << (image.params.weight_bits - 1))
    weight = np.where(image.weight > least, -image.weight, image.weight)
    neurons = replace(image.neurons, threshold=image.neurons.threshold[::-1].copy())
    return replace(image, weight=weight, slot=image.slot[::-1].copy(), neurons=neurons)


SECOND = other(FIRST)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    build(FIRST, BOARD, folder, progress=lambda _: None)
    return folder


def unpacked(bitstream, folder):
    """Words of each content memory of the machine in ``bitstream``, by the tools alone."""
    shutil.copy(bitstream, folder / "see.bit")
    run_tool("ecpunpack", ["--input", "see.bit", "--textcfg", "see.config"], folder)
    return (folder / "see.config").read_text()


def memories(image):
    """Name, width, placeholder and words of columns; without the code under test."""
    words, marks, result = contents(image), placeholder(image.params), []
    for lane in range(image.params.lanes):
        for shape in (s for s in memory_shapes(image.params) if s.content):
            offset = 0
            for index, width in enumerate(shape.columns()):
                both = (
                    [(word >> offset) % (1 << width) for word in some[lane][shape.name]]
                    for some in (marks, words)
                )
                result.append((memory_name(lane, shape.name, index), width, *both))
                offset += width
    return result


def test_second_network(built, capsys, tmp_path):
    """The bitstream holds every word of the second network; the build stays unchanged."""
    assert SECOND.params == FIRST.params
    pairs = list(zip(memories(FIRST), memories(SECOND), strict=True))
    assert all(first[:3] == second[:3] for first, second in pairs)
    changed = {first[0].rsplit("_", 1)[0] for first, second in pairs if first[3] != second[3]}
    assert changed == {"lane_0_pointers", "lane_0_synapses", "lane_0_neurons"}
    before = {path.name: path.read_bytes() for path in built.iterdir()}
    save_image(SECOND, tmp_path / "second.image")
    result = ok(capsys, "patch", built, tmp_path / "second.image", "-o", tmp_path / "new.bit")
    assert result["board"] == "ulx3s-25f" and result["digest"] == SECOND.digest()
    assert result["bitstream"] == str(tmp_path / "new.bit") and result["patched_slices"] == sum(
        width * len(words) // 256 for _, width, _, words in memories(SECOND)
    )
    routed = (built / "top.config").read_text()
    found = read_back(
        routed, unpacked(tmp_path / "new.bit", tmp_path), memories(SECOND), FORMATS["ecp5"]
    )
    assert found == [words for *_, words in memories(SECOND)]
    assert {path.name: path.read_bytes() for path in built.iterdir()} == before


def test_first_network_again(built, tmp_path):
    """The network of the build gives the build's own bitstream."""
    reprogram(built, FIRST, tmp_path / "again.bit")
    assert (tmp_path / "again.bit").read_bytes() == (built / "ulx3s-25f.bit").read_bytes()


@pytest.mark.slow
def test_equals_a_build_of_its_own(built, tmp_path):
    reprogram(built, SECOND, tmp_path / "patched.bit")
    build(SECOND, BOARD, tmp_path / "own", progress=lambda _: None)
    own = (tmp_path / "own" / "ulx3s-25f.bit").read_bytes()
    assert (tmp_path / "patched.bit").read_bytes() == own
    assert own != (built / "ulx3s-25f.bit").read_bytes()


def test_wrong_contents_are_seen(built, tmp_path, monkeypatch):
    """A packer that changes one bit of a block RAM is caught; no bitstream is left."""

    def tampering(tool, arguments, folder, package):
        if tool == "ecppack":
            config = folder / arguments[1]
            head, values = config.read_text().split(".bram_init 5\n")
            changed = f"{int(values[:3], 16) ^ 1:03x}{values[3:]}"
            config.write_text(f"{head}.bram_init 5\n{changed}")
        run_tool(tool, arguments, folder, package)

    monkeypatch.setattr("triodia_boards.flow.toolchain.run_tool", tampering)
    text = r"^memory lane_0_\w+ read back from the bitstream is not what was put in$"
    with pytest.raises(BuildError, match=text):
        program(SECOND, (built / "top.config").read_text(), tmp_path, "new")
    assert not [*tmp_path.glob("*.bit*")]


@pytest.fixture
def made(tmp_path):
    """A folder with the manifest of a build of ``FIRST``."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "top.config").write_text(".device LFE5U-25F\n")
    place = {"board": "ulx3s-25f", "seed": 1, "router": "router1"}
    Manifest.of(FIRST.params, Options(), folder, **place).save(folder)
    return folder


def changed(folder, **values):
    path = folder / "build.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refused(folder, text, image=FIRST):
    """Assert that the error is exactly ``text`` and nothing is written."""
    with pytest.raises(BadBuild, match=f"^{text}$"):
        reprogram(folder, image, folder.parent / "new.bit")
    assert not (folder.parent / "new.bit").exists()


def test_no_build(tmp_path):
    where = re.escape(str(tmp_path))
    for folder in (tmp_path, tmp_path / "none"):
        text = (
            rf"{where}\S* must be the folder of a finished build, not one without build\.json; "
            "`triodia build` makes one"
        )
        refused(folder, text)


def test_a_build_that_fails_is_no_build(made, monkeypatch):
    def fail(*_):
        raise BuildError("out of luck")

    monkeypatch.setattr("triodia_boards.flow.build.BoardTop", lambda *_, **__: None)
    monkeypatch.setattr("triodia_boards.flow.build.synthesize_top", fail)
    with pytest.raises(BuildError, match=r"^out of luck$"):
        build(FIRST, BOARD, made, progress=lambda _: None)
    refused(made, r".* must be the folder of a finished build, .*")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", r"\S+build\.json is damaged: .*; build again"),
        ("[" * 100_000, r"\S+build\.json is damaged: .*; build again"),
        ("[]", r"\S+build\.json must be a triodia-build file, not None"),
        ('{"format": "x"}', r"\S+build\.json must be a triodia-build file, not 'x'"),
        (
            '{"format": "triodia-build", "schema": 2}',
            r"\S+build\.json has schema 2 and this version reads 1; update triodia or build again",
        ),
        (
            '{"format": "triodia-build", "schema": 1}',
            r"\S+build\.json is damaged: no board of type str; build again",
        ),
    ],
)
def test_bad_manifest(made, content, text):
    (made / "build.json").write_text(content)
    refused(made, text)


def test_bad_board(made):
    """A name that is no board's, and a family with a vendor's tool, are refused."""
    changed(made, board="../up")
    refused(made, r"\S+build\.json must name a board, not '../up'; build again")
    options = json.loads((made / "build.json").read_text())["options"]
    changed(made, board="arty-a7-35", options=options | {"family": "xilinx"})
    refused(made, r"\S+build\.json must be of ecp5, ice40, gowin, gw5a, not of 'xilinx'")


def test_no_options(made):
    changed(made, options={})
    refused(made, r"\S+build\.json is damaged: no family in options; build again")


def test_a_network_too_large(made):
    image = random_image(1, lanes=1, neurons=13)
    with pytest.raises(
        ContractError, match=r"^neurons must be at most 12 for this machine, not 13"
    ):
        reprogram(made, image, made / "new.bit")
    assert not (made / "new.bit").exists()


def test_a_smaller_network_of_another_shape(built, tmp_path):
    image = random_image(5, lanes=3, neurons=9, inputs=2, density=0.3)
    report = reprogram(built, image, tmp_path / "new.bit")
    placed = fit_capacity(image, FIRST.params)
    assert report.digest == placed.digest() != image.digest()
    routed = (built / "top.config").read_text()
    found = read_back(
        routed, unpacked(tmp_path / "new.bit", tmp_path), memories(placed), FORMATS["ecp5"]
    )
    assert found == [words for *_, words in memories(placed)]


def test_another_version(made):
    own = Manifest.load(made)
    changed(made, triodia="0.0.1")
    refused(made, r"the build must be of triodia \S+, not of 0\.0\.1; build again")
    changed(made, triodia=own.triodia, memories=own.memories[::-1])
    text = (
        r"the build must have the memory layout of this triodia, not that of another \S+; build "
        "again"
    )
    refused(made, text)


def test_another_routed_design(made):
    (made / "top.config").write_text(".device LFE5U-85F\n")
    refused(made, r"\S+top\.config is not the one that build\.json describes; build again")
    (made / "top.config").unlink()
    refused(made, r"\S+top\.config is missing; build again")


def test_command_refuses_with_exit_code_2(made, capsys, tmp_path):
    save_image(random_image(1, lanes=1, neurons=13), tmp_path / "other.image")
    arguments = ("patch", made, tmp_path / "other.image", "-o", tmp_path / "new.bit")
    code, out, err = call(capsys, *arguments)
    assert code == 2 and out == ""
    assert err.startswith("triodia: neurons must be at most 12 for this machine, not 13; ")
    assert len(err.splitlines()) == 1
    code, _, err = call(capsys, "patch", tmp_path, *arguments[2:])
    assert code == 2 and "`triodia build` makes one" in err
    assert not (tmp_path / "new.bit").exists()


def test_ice40(tmp_path):
    """Block RAMs of an iCE40: built, read back from the bitstream, and exchanged."""
    image, board = random_image(1, lanes=1, state_bits=16), BOARDS["hx8k-evb"]
    report = build(image, board, tmp_path, progress=lambda _: None)
    assert report.baked and report.bitstream == str(tmp_path / "hx8k-evb.bin")
    options = check_fit(image.params, board)
    assert report.blocks == LINK_BLOCKS["ice40"] + block_rams(image.params, options)
    assert report.multipliers == report.single_port == 0 < report.registers
    reprogram(tmp_path, image, tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "hx8k-evb.bin").read_bytes()
    second = other(image)
    reprogram(tmp_path, second, tmp_path / "new.bin")
    run_tool("iceunpack", ["new.bin", "new.config"], tmp_path)
    marks = placeholder(image.params)[0]
    memories = [
        (f"{shape.name}_{k}", width, mark, words)
        for shape in memory_shapes(image.params)
        for k, ((width, mark), (_, words)) in enumerate(
            zip(*(shape.cut(m, ICE40) for m in (marks, contents(second)[0])), strict=True)
        )
    ]
    texts = [(tmp_path / name).read_text() for name in ("top.config", "new.config")]
    found = read_back(*texts, memories, FORMATS["ice40"])
    assert found == [words for *_, words in memories]


def test_network_that_must_be_loaded(tmp_path):
    image = random_image(1, lanes=1, state_bits=16)
    (tmp_path / "top.config").write_text("")
    options = check_fit(image.params, BOARDS["icebreaker"])
    place = {"board": "icebreaker", "seed": 1, "router": "router1"}
    Manifest.of(image.params, options, tmp_path, **place).save(tmp_path)
    text = (
        r"^the network of a build for icebreaker is loaded through its port, not patched: its "
        r"synapse memory starts empty$"
    )
    with pytest.raises(BadBuild, match=text):
        reprogram(tmp_path, image, tmp_path / "new.bin")


@pytest.mark.slow
def test_icebreaker(tmp_path):
    """The synapses are in the large memories; nothing is baked."""
    image, board = random_image(1, lanes=2, state_bits=16), BOARDS["icebreaker"]
    report = build(image, board, tmp_path, seed=2, progress=lambda _: None)  # 1 takes minutes
    assert not report.baked and report.patched_slices == 0
    assert report.bitstream == str(tmp_path / "icebreaker.bin")
    options = check_fit(image.params, board)
    assert report.blocks == LINK_BLOCKS["ice40"] + block_rams(image.params, options)
    assert report.single_port == single_port_rams(image.params, options) == 2
    assert report.multipliers == 4 and report.fmax_mhz > report.clock_mhz
