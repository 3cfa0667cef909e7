import getpass
import json
import re
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.networks import random_image
from triodia_hw.export import TOP, export_verilog, hex_lines, memory_name, triodia_version
from triodia_hw.gateware.counters import COUNTERS
from triodia_hw.layout import input_fields, output_fields
from triodia_hw.memory import contents, memory_shapes

CASES = {
    "plain": {"lanes": 2, "inputs": 3},
    "spikes": {"lanes": 3, "payload_bits": 1, "synaptic": True, "refractory_bits": 2},
    "one slot": {"lanes": 4, "neurons": 3, "readouts": 1},
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
    memories = ("pointers", "synapses", "neurons")
    hexes = {f"lane_{k}_{m}.hex" for k in range(image.params.lanes) for m in memories}
    assert {path.name for path in first.iterdir()} == hexes | {f"{TOP}.v"}


def test_returns_what_it_wrote(tmp_path):
    image = random_image(5, lanes=1)
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "triodia.v").write_text("old")
    paths = export_verilog(image, tmp_path / "x" / "y")
    assert sorted(paths) == sorted((tmp_path / "x" / "y").iterdir())
    assert paths[0].name == "triodia.v"
    assert paths[0].read_text().startswith("// Triodia")


def test_no_machine_paths(export):
    _, first, *_ = export
    words = [tempfile.gettempdir() + "/", str(Path.home()), str(Path.cwd()), first.name]
    words += [str(Path(__file__).parent.parent), "site-packages", ".py", getpass.getuser() + "/"]
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
    for lane, words in enumerate(contents(image)):
        for shape in memory_shapes(image.params):
            if shape.content:
                text = (first / f"{memory_name(lane, shape.name)}.hex").read_text()
                assert [int(line, 16) for line in text.splitlines()] == words[shape.name]
                assert {len(line) for line in text.splitlines()} == {-(-shape.width // 4)}


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
        name: re.findall(r'\$readmemh\("([^"]+)", mem\)', text)
        for name, text in modules((first / f"{TOP}.v").read_text()).items()
    }
    holders = {"pointers": "fetcher", "synapses": "walker", "neurons": "sweep"}
    want = {
        f"{TOP}.core.lane_{lane}.{holder}.{memory}": [f"lane_{lane}_{memory}.hex"]
        for lane in range(image.params.lanes)
        for memory, holder in holders.items()
    }
    assert {name: files for name, files in loads.items() if files} == want


def test_netlist_does_not_hold_the_network(export):
    """Verilog of two networks differs in the digest only; their memory files do differ."""
    image, first, _, third = export
    one, two = ((folder / f"{TOP}.v").read_text().splitlines() for folder in (first, third))
    assert other(image).params == image.params
    assert [k for k, (a, b) in enumerate(zip(one, two, strict=True)) if a != b] == [1]
    for memory in ("synapses", "neurons"):
        name = f"{memory_name(0, memory)}.hex"
        assert (first / name).read_text() != (third / name).read_text()


def test_working_memories_start_undefined(export):
    _, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    assert not re.search(r"\bmem\[[^\]]*\] = ", text)


def test_ports(export):
    image, first, *_ = export
    text = (first / f"{TOP}.v").read_text()
    pattern = r"^  (input|output) (signed )?(?:\[(\d+):0\] )?(\w+);"
    declared = re.findall(pattern, modules(text)[TOP], re.MULTILINE)
    ports = {name: (way, int(top or 0) + 1, bool(sign)) for way, sign, top, name in declared}
    want = dict.fromkeys(("clk", "rst", "i_valid", "o_ready"), ("input", 1, False))
    want |= dict.fromkeys(("i_ready", "o_valid"), ("output", 1, False))
    want |= {f"i_{name}": ("input", *rest) for name, *rest in input_fields(image.params)}
    want |= {f"o_{name}": ("output", *rest) for name, *rest in output_fields(image.params)}
    want |= dict.fromkeys(COUNTERS, ("output", 32, False))
    assert ports == want
