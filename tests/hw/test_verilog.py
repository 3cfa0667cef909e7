import getpass
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.networks import random_image
from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.options import Options
from triodia_hw.errors import TriodiaError
from triodia_hw.export.memories import contents_sum, hex_lines
from triodia_hw.export.rtlil import TOP, core_rtlil, memory_name, triodia_version
from triodia_hw.export.verilog import export_verilog
from triodia_hw.machine.words import COUNTERS, input_fields, output_fields

CASES = {
    "plain": {"lanes": 2, "inputs": 3},
    "spikes": {"lanes": 3, "payload_bits": 1, "synaptic": True, "refractory_bits": 2},
    "one slot": {"lanes": 4, "neurons": 3, "readouts": 1},
    "columns": {"lanes": 1, "neurons": 40, "inputs": 90, "density": 0.3, "weight_bits": 12},
}


def hex_files(p, name=TOP):
    """Content memories by file: shape, column and the bits of a word below it."""
    return {
        f"{name}_{memory_name(lane, shape.name, index)}.hex": (
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
    assert hexes >= {
        f"{TOP}_lane_{k}_{m}_0.hex" for k in range(image.params.lanes) for m in memories
    }
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
    others = [tmp_path / f"{TOP}_lane_9_mine_0.hex", tmp_path / "x_lane_2_synapses_0.hex"]
    for file in others:
        file.write_text("mine")
    made = export_verilog(random_image(1, lanes=1), tmp_path)
    assert set(tmp_path.iterdir()) == {*made, *others}


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
    assert json.loads(parameters) == image.params.record()


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
    """Verilog of each module by name, in order."""
    found = re.findall(r"^module (\S+?)(?: #.*?)?\s?\(", text, re.MULTILINE)
    texts = re.findall(r"^module .*?^endmodule", text, re.DOTALL | re.MULTILINE)
    return dict(zip(found, texts, strict=True))


def instances(text, top=TOP):
    """Every instance below ``top``: path, module, and its parameters, ``LANE`` resolved."""
    bodies, pattern = modules(text), r"^  (\w+) (?:#\((.*?)\) )?(\w+) \(\n    \."
    found, ahead = [], [("", top, "")]
    while ahead:
        path, module, lane = ahead.pop()
        for kind, given, name in re.findall(pattern, bodies[module], re.DOTALL | re.MULTILINE):
            values = dict(re.findall(r"\.(\w+)\((.*?)\)(?:,|\n)", given + "\n"))
            if "LANE" in values:
                values["LANE"] = values["LANE"].replace("LANE", f'"{lane}"').strip('"')
            inner = values.get("LANE", lane)
            if "FILE" in values:
                values["FILE"] = re.sub(r'\{LANE, "(.*)"\}', rf'"{inner}\1"', values["FILE"])
            found.append((f"{path}.{name}".strip("."), kind, values))
            ahead.append((found[-1][0], kind, inner))
    return found


def test_each_memory_loads_its_file(export):
    image, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    loads = {
        path: values["FILE"].strip('"')
        for path, kind, values in instances(text)
        if kind == f"{TOP}_ram" and "FILE" in values
    }
    holders = {"pointers": "fetcher", "synapses": "walker", "neurons": "sweep"}
    want = {
        f"core.lane_{lane}.{holders[shape.name]}.{shape.name}.mem_{index}": file
        for file, (lane, shape, index, _) in hex_files(image.params).items()
    }
    assert loads == want


def test_one_module_for_all_lanes(exports):
    image, first, *_ = exports["spikes"]
    kinds = [kind for _, kind, _ in instances((first / f"{TOP}.v").read_text())]
    assert image.params.lanes == 3
    assert kinds.count(f"{TOP}_lane") == kinds.count(f"{TOP}_walker") == 3


def test_every_module_says_what_it_does(export):
    _, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    names = list(modules(text))
    for name in names:
        assert re.search(rf"^// .*[.:]\nmodule {name}\b", text, re.MULTILINE), name
    listed = text.split("// Modules, in order:\n")[1].split("\n\n")[0]
    assert re.findall(r"\w+", listed) == names


def test_names_without_escapes(export):
    """No backslash, and a dollar sign only in front of a system task."""
    _, first, *_ = export
    text = re.sub(r"//.*", "", (first / f"{TOP}.v").read_text())
    assert "\\" not in text and "[-1:0]" not in text
    used = {name for name in re.findall(r"[\w$]+", text) if "$" in name}
    assert used == {"$fatal", "$readmemh", "$signed"}


def test_verilog_does_not_hold_the_network(export):
    """Verilog of two networks differs in the digest and the sums that the simulation checks."""
    image, first, _, third = export
    one, two = ((folder / f"{TOP}.v").read_text().splitlines() for folder in (first, third))
    assert other(image).params == image.params
    differ = [a for a, b in zip(one, two, strict=True) if a != b]
    assert differ[0].startswith("// Image ")
    assert all("$fatal" in line or ".contents_sum(" in line for line in differ[1:])
    for memory in ("synapses", "neurons"):
        name = f"{TOP}_{memory_name(0, memory, 0)}.hex"
        assert (first / name).read_text() != (third / name).read_text()


def test_every_content_memory_is_checked(export):
    image, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    checked = re.findall(r"\.contents_sum\(1'b0\) !== 64'h(\w{16})\)\n +\$fatal\(1, \"(\S+) ", text)
    sums = {}
    for file in hex_files(image.params):
        words = [int(line, 16) for line in (first / file).read_text().split()]
        sums[file] = f"{contents_sum(words):016x}"
    assert {file: total for total, file in checked} == sums
    assert f"is not of image {image.digest()[:16]}" in text


def test_inline(tmp_path):
    """The contents are in the Verilog, and no file is needed."""
    image = random_image(5, **CASES["columns"])
    export_verilog(image, tmp_path / "files", name="net")
    (made,) = export_verilog(image, tmp_path / "inline", inline=True, name="net")
    assert list((tmp_path / "inline").iterdir()) == [made]
    text = made.read_text()
    assert "$readmemh" not in text
    for file in hex_files(image.params, "net"):
        block = text.split(f'(FILE == "{file}")')[1].split("    end\n")[0]
        words = [int(word, 16) for word in re.findall(r"'h(\w+);", block)]
        assert words == [int(w, 16) for w in (tmp_path / "files" / file).read_text().split()]


@pytest.mark.parametrize("name", ["", "4x", "a-b", "../x", "a$b", "é", "x" * 41, "x_"])
def test_bad_name(name, tmp_path):
    with pytest.raises(TriodiaError, match=r"^The name of a Verilog module must be at most 40 "):
        export_verilog(random_image(1, lanes=1), tmp_path / "new", name=name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["module", "reg", "logic", "endcase", "real"])
def test_a_keyword_as_name(name, tmp_path):
    with pytest.raises(TriodiaError, match=f"^'{name}' is a word of Verilog itself"):
        export_verilog(random_image(1, lanes=1), tmp_path / "new", name=name)
    assert not (tmp_path / "new").exists()


def test_working_memories_start_undefined(export):
    _, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    assert not re.search(r"\bmem(_\d)?\[[^\]]*\] = ", text)
    rams = [values for _, kind, values in instances(text) if kind == f"{TOP}_ram"]
    assert sum("FILE" not in values for values in rams) >= 2  # state and sums


def test_ports(export):
    image, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    pattern = r"^  (input|output) (signed )?(?:\[(\d+):0\] )?(\w+);"
    declared = re.findall(pattern, modules(text)[TOP], re.MULTILINE)
    ports = {name: (way, int(top or 0) + 1, bool(s)) for way, s, top, name in declared}
    p = image.params
    want = dict.fromkeys(("clk", "rst", "i_valid", "o_ready"), ("input", 1, False))
    want |= dict.fromkeys(("i_ready", "o_valid"), ("output", 1, False))
    want |= {f"i_{name}": ("input", bits, sign) for name, bits, sign in input_fields(p)}
    want |= {f"o_{name}": ("output", bits, sign) for name, bits, sign in output_fields(p)}
    want |= dict.fromkeys(COUNTERS, ("output", 32, False))
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
