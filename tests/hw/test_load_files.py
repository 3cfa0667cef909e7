# amaranth: UnusedElaboratable=no
"""Files of the folder that load its network into another folder's machine."""

import json
import re
import subprocess
from dataclasses import replace

import pytest

from tests.support.commands import call, ok
from tests.support.networks import random_image
from triodia_hw.compile.loading import load_bytes
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.export import folder as folder_of
from triodia_hw.export.facts import facts
from triodia_hw.export.folder import export_folder
from triodia_hw.machine.image import save_image

SIZES = {"lanes": 2, "inputs": 20, "neurons": 9, "readouts": 3}
NET = random_image(3, density=0.5, **SIZES)
OTHER = random_image(5, density=0.2, **SIZES)  # fewer synapses, so smaller memories
PRINT = r"""
#include <stdio.h>
#include "net_driver.h"
#include "other_driver.h"
#include "other_load.h"
#if NET_MACHINE != OTHER_MACHINE
#error "another machine"
#endif
int main(void)
{
    unsigned long k;
    for (k = 0; k < OTHER_LOAD_BYTES; k++) printf("%u ", (unsigned)other_load_bytes[k]);
    return 0;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from triodia.cli.main import run

    place = tmp_path_factory.mktemp("load")
    for name, image in (("net", NET), ("other", OTHER)):
        save_image(image, place / f"{name}.image")
    line = ["-o", str(place), "--interface", "wishbone", "--json"]
    assert run(["verilog", str(place / "net.image"), *line, "--name", "net"]) == 0
    fit = ["--name", "other", "--machine", str(place / "net.image")]
    assert run(["verilog", str(place / "other.image"), *line, *fit]) == 0
    return place


def test_bytes_of_the_fitted_network(folder):
    """In the C header and in the binary file; the machine is the same, sizes and sources not."""
    assert OTHER.params != NET.params
    expected = load_bytes(fit_capacity(OTHER, NET.params))
    assert (folder / "other_load.bin").read_bytes() == expected
    (folder / "print.c").write_text(PRINT)
    flags = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Werror -Wno-unused"
    subprocess.run(["gcc", *flags.split(), "print.c", "-o", "print"], cwd=folder, check=True)
    done = subprocess.run(["./print"], cwd=folder, capture_output=True, text=True, check=True)
    assert bytes(map(int, done.stdout.split())) == expected
    known = [json.loads((folder / f"{name}.json").read_text()) for name in ("net", "other")]
    assert known[0]["machine"] == known[1]["machine"]


def test_gateware_of_both_is_the_same(folder):
    """But for comments, names and the sums that a simulation checks."""

    def modules(name):
        text = (folder / f"{name}.v").read_text()
        text = re.sub("//.*", "", text[text.index("`timescale") :])
        lines = re.sub(rf"\b{name}(?=\b|_)", "NAME", text).splitlines()
        return [line for line in lines if "contents_sum" not in line and "$" not in line]

    assert modules("net") == modules("other") and len(modules("net")) > 1000


def test_networks_of_other_machines_have_other_numbers(folder):
    numbers = {
        facts(image, "net", "", "module net(\nendmodule")["machine"]
        for image in (NET, OTHER, random_image(3, density=0.5, **SIZES | {"lanes": 3}))
    }
    assert len(numbers) == 3


def test_a_network_that_does_not_fit(folder, tmp_path, capsys):
    line = ["verilog", folder / "net.image", "-o", tmp_path / "rtl", "--machine"]
    code, out, err = call(capsys, *line, folder / "other.image")
    assert (code, out) == (2, "") and not (tmp_path / "rtl").exists()
    assert err.startswith("triodia: ") and err.count("\n") == 1
    assert " for this machine, not " in err or "accumulator_bits must hold" in err


def test_a_memory_of_more_words_than_can_be_loaded(tmp_path, monkeypatch, capsys):
    """No file with some of the bytes, and no word of them in the README."""
    monkeypatch.setattr("triodia_hw.compile.loading._REACH", 16)
    assert folder_of._load_bytes(NET) is None
    (tmp_path / "net_load.h").write_text("of an earlier network")
    export_folder(NET, tmp_path, name="net")
    assert not list(tmp_path.glob("*load*"))
    assert "_load" not in (tmp_path / "README.md").read_text()


def test_the_same_machine_changes_nothing(folder, tmp_path, capsys):
    ok(capsys, "verilog", folder / "net.image", "-o", tmp_path / "a", "--name", "net")
    same = replace(NET, coding=NET.coding)
    save_image(same, tmp_path / "same.image")
    how = ["--name", "net", "--machine", tmp_path / "same.image"]
    ok(capsys, "verilog", folder / "net.image", "-o", tmp_path / "b", *how)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
