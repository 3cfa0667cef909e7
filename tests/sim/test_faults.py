"""Inject deliberate faults into the gateware; the tests must catch each one.

A copy of the package with the fault exports the Verilog, while reference and testbench stay
unchanged; or one of the tests' simulations runs with the copy. A fault whose text is no longer in
the source fails the test, so no fault is silently lost.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import triodia_hw
from tests.support.faults import FAULTS
from tests.support.networks import random_events, random_image
from triodia_hw.machine.image import save_image
from triodia_sim.runner import cosimulate

ROOT = Path(__file__).resolve().parents[2]

# Networks that bring different faults to light: one that uses everything, one of integers so small
# that potentials often equal thresholds, one whose events pile up in the queues, one with
# fillers and groups of rows, one whose neurons adapt.
CASES = {
    "everything": {
        "lanes": 4,
        "neurons": 30,
        "inputs": 6,
        "readouts": 3,
        "density": 0.5,
        "synaptic": True,
        "state_bits": 11,
        "bias_bits": 6,
        "refractory_bits": 2,
        "full_scale": True,
        "fraction_bits": 3,
    },
    "small integers": {
        "lanes": 2,
        "neurons": 20,
        "payload_bits": 1,
        "weight_bits": 4,
        "fraction_bits": 0,
        "leak_bits": 1,
    },
    "long queues": {"lanes": 2, "neurons": 30, "inputs": 40, "density": 1.0},
    "fillers and groups": {
        "lanes": 2,
        "neurons": 40,
        "density": 0.15,
        "storage": {"gap_bits": 1, "rows_per_pointer": 4},
    },
    "shared rows": {
        "lanes": 2,
        "neurons": 40,
        "inputs": 12,
        "density": 0.2,
        "shared_rows": True,
    },
    "delays": {
        "lanes": 2,
        "neurons": 16,
        "inputs": 20,
        "density": 0.3,
        "delays": (1, 3, 4),
    },
    "adaptive": {
        "lanes": 2,
        "neurons": 24,
        "inputs": 6,
        "density": 0.5,
        "adaptive": True,
        "state_bits": 8,
        "refractory_bits": 2,
        "bias_bits": 6,
        "leak_bits": 6,
        "fraction_bits": 3,
        "weight_bits": 6,
    },
}


# Two faults of neurons that adapt are enough for every run.
SLOW = {name for name, fault in FAULTS.items() if fault.case == "adaptive" or "adaptation" in name}
# So is one of the wheel.
SLOW |= {name for name, fault in FAULTS.items() if fault.case == "delays"} - {"delay one short"}
SLOW -= {"adaptation never decays", "read of the adaptation shows the potential"}


def named(simulated):
    """Faults that a simulation of the tests must catch, or co-simulation."""
    names = [name for name, fault in FAULTS.items() if bool(fault.by) == simulated]
    return [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in names]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """By name: image, its file, input sequences."""
    folder = tmp_path_factory.mktemp("faults")
    work = {}
    for name, case in CASES.items():
        image, file = random_image(7, **case), folder / f"{name}.image"
        save_image(image, file)
        steps = (25, 2, 12) if case.get("inputs", 0) < 40 else (4,)
        work[name] = image, file, [random_events(image, n, n, rate=0.9) for n in steps]
    return work


def faulty_package(folder, name):
    """Folder with a copy of the package with the fault; what Python must be told to use it."""
    package, fault = folder / "source" / "triodia_hw", FAULTS[name]
    shutil.copytree(Path(triodia_hw.__file__).parent, package)
    source = package / "gateware" / fault.file
    assert source.read_text().count(fault.text) == 1, f"{fault.text!r} is not once in {fault.file}"
    source.write_text(source.read_text().replace(fault.text, fault.faulty))
    paths = [str(folder / "source"), *filter(None, sys.path)]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def run_with_fault(folder, environment, code, *arguments):
    code = f"import sys, triodia_hw; assert triodia_hw.__file__.startswith(sys.argv[1]); {code}"
    command = [sys.executable, "-c", code, str(folder / "source"), *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


EXPORT = (
    "from triodia_hw.export.verilog import export_verilog; "
    "from triodia_hw.machine.image import load_image; "
    "export_verilog(load_image(sys.argv[2]), sys.argv[3])"
)
PYTEST = "import pytest; sys.exit(pytest.main(sys.argv[2:]))"


@pytest.mark.parametrize("case", CASES)
def test_without_fault(case, work, tmp_path):
    image, _, sequences = work[case]
    result = cosimulate(image, sequences, tmp_path, exercise=False)
    assert result.mismatches == 0
    assert result.spikes > 40


@pytest.mark.parametrize("name", named(False))
def test_fault_is_caught(name, work, tmp_path):
    first = FAULTS[name].case
    for case, (image, file, sequences) in sorted(work.items(), key=lambda one: one[0] != first):
        folder = tmp_path / case
        verilog = folder / "verilog"
        done = run_with_fault(folder, faulty_package(folder, name), EXPORT, file, verilog)
        assert done.returncode == 0, done.stderr
        result = cosimulate(image, sequences, folder / "run", verilog=verilog, exercise=False)
        if result.mismatches:
            assert result.first is not None
            return
    pytest.fail(f"{name}: no network shows it")


@pytest.mark.parametrize("name", named(True))
def test_fault_is_caught_in_simulation(name, tmp_path):
    """A test that otherwise passes fails with the fault."""
    file, tests = FAULTS[name].by
    arguments = ["-n", "0", "-x", "-q", "-p", "no:cacheprovider", "--tb=short", file, "-k", tests]
    done = run_with_fault(tmp_path, faulty_package(tmp_path, name), PYTEST, *arguments)
    assert done.returncode == 1, done.stdout[-2000:]
    assert re.search(r"^E +(AssertionError|TimeoutError|assert )", done.stdout, re.M), done.stdout
