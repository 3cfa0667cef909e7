import getpass
import json
import re
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.support.networks import random_image
from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.options import Options
from triodia_hw.export.memories import hex_lines
from triodia_hw.export.rtlil import TOP, core_rtlil, memory_name, triodia_version
from triodia_hw.export.verilog import export_verilog
from triodia_hw.machine.words import COUNTERS, input_fields, output_fields

CASES = {
    "plain": {"lanes": 2, "inputs": 3},
    "spikes": {"lanes": 3, "payload_bits": 1, "synaptic": True, "refractory_bits": 2},
    "one slot": {"lanes": 4, "neurons": 3, "readouts": 1},
    "columns": {"lanes": 1, "neurons": 40, "inputs": 90, "density": 0.3, "weight_bits": 12},
}


def hex_files(p):
    """Content memories by file: shape, column and the bits of a word in front of it."""
    return {
        f"{memory_name(lane, shape.name, index)}.hex": (
            lane,
            shape,
            index,
            sum(shape.columns()[:index]),
        )
        for lane in range(p.lanes)
        for shape in memory_shapes(p)
        for index in range(len(shape.columns()) if shape.content else 0)
    }


def other(image):
    """Another network with the same parameters."""
    n = image.neurons
    neurons = replace(n, threshold=n.threshold[::-1].copy(), beta=n.beta[::-1].copy())
    return replace(image, neurons=neurons, weight=-image.weight.clip(-127), meta={"other": 1})


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """By case: the image, its folder, the folder of a second export, and of another network."""
    result = {}
    for name, case in CASES.items():
        image = random_image(5, **case)
        folders = [tmp_path_factory.mktemp("export") for _ in range(3)]
        for folder, exported in zip(folders, (image, image, other(image)), strict=True):
            export_verilog(exported, folder)
        result[name] = image, *folders
    return result


@pytest.fixture(params=CASES)
def export(request, exports):
    return exports[request.param]


def test_same_image_same_bytes(export):
    _, first, second, _ = export
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_files(export, tmp_path):
    image, first, *_ = export
    hexes = set(hex_files(image.params))
    memories = ("pointers", "synapses", "neurons")
    assert hexes >= {f"lane_{k}_{m}_0.hex" for k in range(image.params.lanes) for m in memories}
    assert {path.name for path in first.iterdir()} == hexes | {f"{TOP}.v"}


def test_returns_what_it_wrote(tmp_path):
    image = random_image(5, lanes=1)
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "triodia.v").write_text("old")
    paths = export_verilog(image, tmp_path / "x" / "y")
    assert sorted(paths) == sorted((tmp_path / "x" / "y").iterdir())
    assert paths[0].name == "triodia.v"
    assert paths[0].read_text().startswith("// Triodia")


def test_fewer_lanes_into_the_same_folder(tmp_path):
    """Contents of the lanes that are gone are gone too; what is not ours stays."""
    export_verilog(random_image(1, lanes=3), tmp_path)
    (tmp_path / "lane_9_mine_0.hex").write_text("mine")
    made = export_verilog(random_image(1, lanes=1), tmp_path)
    assert set(tmp_path.iterdir()) == {*made, tmp_path / "lane_9_mine_0.hex"}


def test_no_machine_paths(export):
    _, first, *_ = export
    words = [tempfile.gettempdir() + "/", str(Path.home()), str(Path.cwd()), first.name]
    words += [str(Path(__file__).parents[2]), "site-packages", ".py", getpass.getuser() + "/"]
    for path in first.iterdir():
        text = path.read_text()
        for word in words:
            assert word not in text, (path.name, word)


def test_header(export):
    image, first, *_ = export
    lines = (first / f"{TOP}.v").read_text().splitlines()
    assert lines[0] == f"// Triodia {triodia_version()}: sparse event-driven LIF accelerator."
    assert lines[1] == f"// Image {image.digest()}"
    title, parameters = lines[2].split(" ", 2)[1:]
    assert title == "Parameters"
    assert json.loads(parameters) == asdict(image.params)


def test_hex_files_are_the_contents(export):
    image, first, *_ = export
    whole = [{s.name: [0] * s.depth for s in memory_shapes(image.params)} for _ in contents(image)]
    for name, (lane, shape, index, offset) in hex_files(image.params).items():
        lines = (first / name).read_text().splitlines()
        assert {len(line) for line in lines} == {-(-shape.columns()[index] // 4)}
        for address, line in enumerate(lines):
            assert int(line, 16) < 1 << shape.columns()[index]
            whole[lane][shape.name][address] |= int(line, 16) << offset
        assert len(lines) == shape.depth
    for words, want in zip(whole, contents(image), strict=True):
        assert {name: words[name] for name in want} == want


def test_some_memory_has_columns(exports):
    shapes = memory_shapes(exports["columns"][0].params)
    assert max(len(shape.columns()) for shape in shapes if shape.content) > 1


def test_hex_lines():
    assert hex_lines([0, 5, 511], 9) == "000\n005\n1ff\n"
    assert hex_lines([0, 255], 8) == "00\nff\n"


def modules(text):
    """Verilog of each module by name."""
    found = re.findall(r"^module \\?(\S+?)\s?\(.*?^endmodule", text, re.DOTALL | re.MULTILINE)
    texts = re.findall(r"^module .*?^endmodule", text, re.DOTALL | re.MULTILINE)
    return dict(zip(found, texts, strict=True))


def test_each_memory_loads_its_file(export):
    image, first, *_ = export
    loads = {
        name: re.findall(r'\$readmemh\("([^"]+)", (mem_\d)\)', text)
        for name, text in modules((first / f"{TOP}.v").read_text()).items()
    }
    holders = {"pointers": "fetcher", "synapses": "walker", "neurons": "sweep"}
    want = {}
    for file, (lane, shape, index, _) in hex_files(image.params).items():
        module = f"{TOP}.core.lane_{lane}.{holders[shape.name]}.{shape.name}"
        want.setdefault(module, []).append((file, f"mem_{index}"))
    assert {name: sorted(files) for name, files in loads.items() if files} == want


def test_netlist_does_not_hold_the_network(export):
    """Verilog of two networks differs in the digest only; their memory files do differ."""
    image, first, _, third = export
    one, two = ((folder / f"{TOP}.v").read_text().splitlines() for folder in (first, third))
    assert other(image).params == image.params
    assert [k for k, (a, b) in enumerate(zip(one, two, strict=True)) if a != b] == [1]
    for memory in ("synapses", "neurons"):
        name = f"{memory_name(0, memory, 0)}.hex"
        assert (first / name).read_text() != (third / name).read_text()


def test_working_memories_start_undefined(export):
    _, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    assert not re.search(r"\bmem(_\d)?\[[^\]]*\] = ", text)
    assert re.search(r"\breg \[\d+:0\] mem \[", text)


def test_ports(export):
    image, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    pattern = r"^  (input|output) (?:\[(\d+):0\] )?(\w+);"
    declared = re.findall(pattern, modules(text)[TOP], re.MULTILINE)
    ports = {name: (way, int(top or 0) + 1) for way, top, name in declared}
    want = dict.fromkeys(("clk", "rst", "i_valid", "o_ready"), ("input", 1))
    want |= dict.fromkeys(("i_ready", "o_valid"), ("output", 1))
    want |= {f"i_{name}": ("input", bits) for name, bits, _ in input_fields(image.params)}
    want |= {f"o_{name}": ("output", bits) for name, bits, _ in output_fields(image.params)}
    want |= dict.fromkeys(COUNTERS, ("output", 32))
    assert ports == want


def test_contents_of_zeros_stay():
    """Only what a machine writes before it reads may start undefined."""
    image = random_image(1, lanes=2, neurons=6, density=0.0, state_bits=16)
    p = image.params
    text = core_rtlil(p, contents(image))
    cells = re.findall(r'meminit_v2 .*?MEMID "\\\\(\w+)"', text, re.DOTALL)
    columns = sum(len(s.columns()) for s in memory_shapes(p) if s.content)
    assert len(cells) == 2 * columns and all(name.startswith("mem_") for name in cells)
    large = Options(family="ice40", single_port=("synapses",))
    text = core_rtlil(p, contents(image), large)
    assert "meminit_v2" in text and not re.search(r"connect \\DATA \d+'0+\n", text)
