"""Can the co-simulation fail? Deliberate faults in the gateware, each of which it must catch.

Each fault is a change of one place in the source. A copy of the package with the fault exports the
Verilog; the reference and the testbench stay as they are. A fault whose text is no longer in the
source fails the test, so that none is silently lost.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import triodia_hw
from tests.networks import random_events, random_image
from triodia_hw.image import save_image
from triodia_sim.runner import cosimulate

# name: (file of the gateware, text, faulty text)
FAULTS = {
    "rounding to minus infinity": (
        "neuron.py",
        "Mux(product < 0, below, 0)",
        "Mux(product < 0, 0, 0)",
    ),
    "threshold exceeded, not reached": ("neuron.py", "(over >= 0)", "(over > 0)"),
    "no saturation of the potential": (
        "neuron.py",
        "candidate.eq(_saturate(raw, p.state_bits))",
        "candidate.eq(raw)",
    ),
    "no saturation of the current": (
        "neuron.py",
        "u.eq(_saturate(left + arriving, p.state_bits))",
        "u.eq(left + arriving)",
    ),
    "refractory period one short": ("neuron.py", "Mux(spike, n.refractory, 0)", "0"),
    "potential moves while refractory": (
        "neuron.py",
        "v = Mux(resting, s.v, ",
        "v = Mux(resting, candidate, ",
    ),
    "bias left out": ("neuron.py", "v_left + neuron[4].bias", "v_left"),
    "synaptic leak by the membrane's": (
        "neuron.py",
        "self.i.state.u, self.i.neuron.alpha",
        "self.i.state.u, self.i.neuron.beta",
    ),
    "row one synapse short": ("walker.py", "row.length == 2", "row.length <= 3"),
    "row starts one late": (
        "fetcher.py",
        "rows.i.p.start.eq(pointer.start)",
        "rows.i.p.start.eq(pointer.start + 1)",
    ),
    "row of one synapse lost": ("fetcher.py", "(pointer.length != 0)", "(pointer.length > 1)"),
    "event lost when the queue fills": ("lane.py", "_SPARE = 4", "_SPARE = 0"),
    "no forwarding from the last sum": (
        "accumulator.py",
        "Mux(follows, total, operand)",
        "operand",
    ),
    "no forwarding at distance two": (
        "accumulator.py",
        "Mux(same_then[1], total, written)",
        "Mux(same_then[1], stored, written)",
    ),
    "forwarding across banks": (
        "accumulator.py",
        "tag = Cat(synapse.target, bank)",
        "tag = Cat(synapse.target, C(0, 1))",
    ),
    "sum not cleared": (
        "sweep.py",
        "self.clear.eq(update.fetch.valid & ~update.fetch.end)",
        "self.clear.eq(0)",
    ),
    "sweep reads the wrong bank": (
        "accumulator.py",
        "Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum)",
        "Mux(bank, banks[1].r_data.sum, banks[0].r_data.sum)",
    ),
    "sweep one neuron short": (
        "sweep.py",
        "finish.eq(slot == p.slots)",
        "finish.eq(slot == p.slots - 1)",
    ),
    "state kept after the last step": ("sweep.py", "with m.If(~last):", "with m.If(1):"),
    "spikes of the last step delivered": (
        "core.py",
        "~(record.readout | record.last)",
        "~record.readout",
    ),
    "end overtakes items": (
        "merge.py",
        "all_end.eq(Cat(i.valid & i.p.end for i in self.i).all())",
        "all_end.eq(Cat(i.valid & i.p.end for i in self.i).any() & ~item.any())",
    ),
    "payload taken as unsigned": (
        "core.py",
        "tokens.p.payload.eq(word.payload if self.p.graded else 0)",
        "tokens.p.payload.eq(word.payload.as_unsigned() >> 1 if self.p.graded else 0)",
    ),
    "value on a spike": (
        "core.py",
        "Mux(record.readout & ~record.end, record.value, 0)",
        "record.value",
    ),
    "last on every word": (
        "core.py",
        "word.last.eq(record.last & record.end)",
        "word.last.eq(record.last)",
    ),
    "spike worth one instead of 2**f": (
        "core.py",
        "self.p.one if self.p.graded",
        "1 if self.p.graded",
    ),
}

# Networks that bring different faults to light: one that uses everything, one of integers so small
# that potentials often equal thresholds, one whose events pile up in the queues.
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
}


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


def export_with_fault(folder, name, image_file):
    """Verilog of the image by a copy of the package with the fault."""
    package = folder / "source" / "triodia_hw"
    shutil.copytree(Path(triodia_hw.__file__).parent, package)
    file, text, faulty = FAULTS[name]
    source = package / "gateware" / file
    assert source.read_text().count(text) == 1, f"{text!r} is no longer once in {file}"
    source.write_text(source.read_text().replace(text, faulty))
    code = (
        "import sys; from triodia_hw.export import export_verilog; "
        "from triodia_hw.image import load_image; import triodia_hw; "
        "assert triodia_hw.__file__.startswith(sys.argv[1]); "
        "export_verilog(load_image(sys.argv[2]), sys.argv[3])"
    )
    arguments = [str(folder / "source"), str(image_file), str(folder / "verilog")]
    environment = os.environ | {"PYTHONPATH": str(folder / "source")}
    subprocess.run([sys.executable, "-c", code, *arguments], env=environment, check=True)
    return folder / "verilog"


@pytest.mark.parametrize("case", CASES)
def test_without_fault(case, work, tmp_path):
    image, _, sequences = work[case]
    result = cosimulate(image, sequences, tmp_path)
    assert result.mismatches == 0
    assert result.spikes > 40


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_caught(name, work, tmp_path):
    for case, (image, file, sequences) in work.items():
        folder = tmp_path / case
        verilog = export_with_fault(folder, name, file)
        result = cosimulate(image, sequences, folder / "run", verilog=verilog)
        if result.mismatches:
            assert result.first is not None
            return
    pytest.fail(f"{name}: no network shows it")
