"""A fixed sample of generic mutants, and the proofs that excuse some of them."""

import re

import pytest

from tests.sim.equivalence import Prover
from tests.sim.mutant_set import table, unit_of
from tests.sim.mutants import Mutants
from tests.sim.mutants_around import COUNTS, mutants_of
from tests.sim.sequential import ReachabilityProver

pytestmark = pytest.mark.slow  # compiling twice takes a minute


@pytest.fixture(scope="module")
def mutants(tmp_path_factory):
    mutants = Mutants(tmp_path_factory.mktemp("mutants"), 20, 5)
    mutants.compile(tmp_path_factory.mktemp("cache"))
    return mutants


def test_the_machine_itself_passes(mutants):
    assert [mutants.run(0, 0, 0), mutants.run(0, 1, 1, wrap=True)] == [None, None]


def test_a_mutant_that_is_not_chosen_changes_nothing_before_reset(mutants, tmp_path_factory):
    """Changed is the register that lets a PE write its synapses, which `mutate` leaves unset."""
    wire = "core.lane_1.walker.synapses.w_en"
    register = rf"^  cell \$\w+ (\S+)\n(?:    .*\n)*?    connect \\Q \\{wire}$"
    cell = re.search(register, (mutants.folder / "flat.il").read_text(), re.M)[1]
    alone = Mutants(tmp_path_factory.mktemp("writer"), 1, 5)
    alone.lines = [f"mutate -mode inv -module triodia -cell {cell} -port Q -portbit 0"]
    alone.compile(tmp_path_factory.mktemp("cache"))
    assert [alone.run(0, 0, seed, steps=(6,)) for seed in range(12)] == [None] * 12
    assert any(alone.run(1, 0, seed, steps=(6,)) for seed in range(12))


def test_every_mutant_is_caught_or_proven_equivalent(mutants):
    mutants.judge_all()
    assert len(mutants.results) == 20
    left = [line for line, verdict in mutants.results.items() if not verdict["by"]]
    assert not left
    assert sum(row["cosim"] for row in table(mutants.results).values()) > 10


def test_a_proof_needs_equivalence(mutants, tmp_path):
    """The machine is proven to be itself; no mutant that was caught is."""
    prover = Prover(mutants.folder / "flat.il", tmp_path)
    assert prover.equivalent("")
    caught = [k for k in range(1, 21) if mutants.run(k, 0, 0)][:4]
    assert len(caught) == 4
    for k in caught:
        assert not prover.equivalent(mutants.lines[k - 1])


def test_a_proof_by_reachable_states_needs_equivalence(mutants, tmp_path):
    """No mutant that was caught is proven, whatever the way, and the machine is by all."""
    p = mutants.images[0].params
    flat = mutants.folder / "flat.il"
    prover = ReachabilityProver(flat, tmp_path, lanes=p.lanes, state_bits=p.state_bits)
    caught = next(k for k in range(1, 21) if mutants.run(k, 0, 0))
    for way in ("unseen", "paired", "allowed", "beside", "ring", "ring, beside"):
        assert prover.holds(way, "")
        assert not prover.holds(way, mutants.lines[caught - 1], timeout=20)


def test_a_mutant_of_a_memory_gets_a_verdict(mutants, tmp_path):
    flat = mutants.folder / "flat.il"
    prover = ReachabilityProver(flat, tmp_path, lanes=2, state_bits=10)
    cell = "core.lane_1.sweep.neurons.mem_1"
    line = f"mutate -mode inv -module triodia -cell {cell} -port r_data -portbit 0"
    assert prover.equivalent(line, timeout=5) == ""


@pytest.mark.parametrize("unit", COUNTS)
def test_mutants_around_the_machine(unit, tmp_path):
    """All of a sample are caught, or proven to change nothing."""
    mutants = mutants_of(unit, tmp_path / unit, 20, 5)
    mutants.compile()
    assert not mutants.run(0)
    mutants.judge_all()
    mutants.prove_left()
    assert all(verdict["by"] for verdict in mutants.results.values())
    assert sum(verdict["by"] == "bench" for verdict in mutants.results.values()) > 12


def test_units():
    names = {
        r"-cell $flatten\core.\lane_1.\sweep.\update.$procmux$20[1]": "update",
        r"-cell $flatten\core.\lane_0.$procdff$2327[9:4]": "lane",
        r"-cell $flatten\core.$or$triodia.v:378$3": "core",
        r"-cell $flatten\core.\hub.\bus.$ternary$triodia.v:4315$693": "bus",
    }
    assert {line: unit_of(line) for line in names} == names
