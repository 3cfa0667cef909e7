"""The shipped C driver on a RISC-V in simulation: PicoRV32 beside the exported Verilog.

`make test-riscv` installs the processor and a compiler, and runs this.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.networks import random_events, random_image
from tests.support.riscv import system
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.export.vectors import record
from triodia_hw.machine.image import load_image
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.words import COUNTERS, output_fields, unpack
from triodia_sim.scoreboard import Scoreboard

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "japanese-vowels.image"
SIZES = {"lanes": 2, "state_bits": 24, "inputs": 20, "neurons": 9, "readouts": 3}
BUS = {"axi-lite": {"read": 2, "write": 3}, "wishbone": {"read": 2, "write": 2}}


def networks(which):
    """A network, another one for the same machine, and sequences of inputs for both."""
    if which == "example":
        image = load_image(EXAMPLE)
        other = replace(image, weight=-image.weight.clip(-127))
    else:
        image = random_image(3, density=0.5, **SIZES)  # output words of two registers
        other = fit_capacity(random_image(5, density=0.2, **SIZES), image.params)
    return image, other, [random_events(image, 6, seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def systems(tmp_path_factory):
    """A function that returns the built system of an interface and network, each built once."""
    built = {}

    def get(interface, which="random"):
        if (interface, which) not in built:
            folder = tmp_path_factory.mktemp("riscv")
            system.export(folder, *networks(which), interface)
            system.compile_program(folder)
            system.build_system(folder, interface)
            built[interface, which] = folder
        return built[interface, which]

    return get


def check(words, which):
    """Compare everything that the program wrote with the reference."""
    image, other, sequences = networks(which)
    came = {tag: [word for t, word in words if t == tag] for tag in system.TAGS}
    polled = compare_words(image, sequences, came["polled"])
    compare_words(other, sequences, came["loaded"])
    compare_words(image, sequences, came["interrupted"])
    counts = dict(zip(COUNTERS, came["count"], strict=True))
    assert (counts["events"], counts["operations"]) == (polled.events, polled.operations)
    assert 0 < counts["cycles"] and counts["bus_stalls"] < counts["cycles"]
    steps = [[event for event in step if event[1]] for step in sequences[0]]
    spikes, values, label = answers(image, steps)
    assert came["spike"] == spikes and came["value"] == [v % (1 << 32) for v in values]
    assert came["class"] == [label, answers(other, steps)[2]]
    assert len(spikes) > 10


def compare_words(image, sequences, words):
    board = Scoreboard(image, sequences)
    for word in words:
        fields = unpack(output_fields(image.params), word)
        board.word(fields["kind"], fields["last"], fields["source"], fields["value"], 0)
    assert board.mismatches == 0 and board.done, board.first
    assert board.words == len(words) and board.spikes > 20
    return board


def answers(image, steps):
    """Spikes, readouts and class of one sequence."""
    reference, spikes, values = Reference(image), [], []
    for number, step in enumerate(steps):
        result = reference.step(step, number == len(steps) - 1)
        spikes += result.spikes.tolist()
        values.append(result.readouts)
    return spikes, np.concatenate(values).tolist(), int(np.sum(values, axis=0).argmax())


CASES = [("axi-lite", "random"), ("wishbone", "random"), ("axi-lite", "example")]
CASES += [("wishbone", "example")]


@pytest.mark.parametrize(("interface", "which"), CASES)
def test_equal_the_reference(systems, interface, which):
    words, bus = system.run(systems(interface, which))
    check(words, which)
    cycles = {kind: bus[kind] / bus[f"{kind}s"] for kind in ("read", "write")}
    assert cycles == BUS[interface]
    print_costs(interface, which, words, bus)


def print_costs(interface, which, words, bus):
    """Lines for docs/design.md, with `pytest -s`."""
    image, _, sequences = networks(which)
    numbers = {tag: [word for t, word in words if t == tag] for tag in ("bytes", "cycles")}
    names = ["polled", "interrupted", "classify"]
    recorded = record(image, sequences)
    moved = {"polled": len(recorded.inputs) + len(recorded.outputs)}
    moved["interrupted"] = moved["polled"]
    first = record(image, [[[e for e in step if e[1]] for step in sequences[0]]])
    moved["classify"] = len(first.inputs) + len(first.outputs)
    print(f"\n{interface}, {which}: driver of {numbers['bytes'][0]} bytes; bus cycles per access:")
    print({kind: bus[kind] / bus[f"{kind}s"] for kind in ("read", "write")})
    for name, cycles in zip(names, numbers["cycles"][:3], strict=True):
        each = cycles / moved[name]
        print(f"{name}: {cycles} cycles for {moved[name]} words, {each:.0f} cycles per word")


@pytest.mark.parametrize("interface", BUS)
@pytest.mark.parametrize("word", [1, 40, 200])
def test_an_output_word_that_differs_is_caught(systems, interface, word):
    with pytest.raises(AssertionError):  # the kind is wrong; without an end it waits for ever
        words, _ = system.run(systems(interface), f"flip={word}", "limit=400000")
        check(words, "random")


@pytest.mark.parametrize("interface", BUS)
def test_an_interrupt_that_does_not_come_is_caught(systems, interface):
    code, log = system.simulate(systems(interface), "deaf", "limit=400000")
    assert code != 0 and "the program did not end" in log and "exit" not in log


FAULTS = {
    "offset": ("net.h", "#define NET_OUTPUT ", "#define NET_OUTPUT 1 + "),
    "status": ("net_driver.h", "#define NET_THERE 2u", "#define NET_THERE 1u"),
    "sign": ("net.h", "- (int64_t)sign", "- (int64_t)sign + 1"),
    "class": ("net_driver.h", "total[k] > total[best]", "total[k] < total[best]"),
}


@pytest.mark.parametrize("interface", BUS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_driver_is_caught(systems, interface, fault, tmp_path):
    folder = Path(shutil.copytree(systems(interface), tmp_path / "system"))
    file, old, new = FAULTS[fault]
    text = (folder / file).read_text()
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new))
    before = (folder / "program.hex").read_text()
    system.compile_program(folder)
    assert (folder / "program.hex").read_text() != before
    with pytest.raises(AssertionError):
        words, _ = system.run(folder, "limit=400000")
        check(words, "random")
