"""Energy: counts of a small machine by hand, and bounds that hold at any price."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.networks import random_events, random_image
from triodia_hw.compile.contents import memory_shapes
from triodia_hw.compile.dense import dense
from triodia_hw.cost.energy import PRICES, Work, dense_work, estimate, event_work, ratio_range
from triodia_sim.activity import register_toggles, signals
from triodia_sim.runner import cosimulate

REGISTERS = {"register_bits": 100, "toggles_per_cycle": 2.5}


def test_event_work_of_one_step():
    """One event, one synapse word: everything that happens can be counted on paper."""
    image = random_image(1, lanes=2, neurons=4, inputs=1, density=1.0, payload_bits=8)
    p, width = image.params, {s.name: s.width for s in memory_shapes(image.params)}
    work = event_work(image, [[[(0, 3)]]], REGISTERS, 50.0)
    words = 4  # the input reaches each neuron
    sums = 2 * width["sums_0"] * (words + 4)
    bits = 2 * width["pointers"] + words * width["synapses"] + sums
    assert work.memory_bits == bits + 4 * (width["neurons"] + 2 * width["state"])
    assert work.product_bits == words * 8 * 8 + 4 * p.state_bits * (p.leak_bits + 1)
    assert work.register_toggles == 125 and work.clocked_bits == 5000


def test_dense_work_does_not_depend_on_events():
    design = dense(random_image(1, lanes=2, neurons=10, inputs=3))
    silent, loud = (
        dense_work(design, [random_events(design.image, 4, 1, rate=rate)], REGISTERS, 10.0)
        for rate in (0.0, 1.0)
    )
    assert silent == loud
    visits = 4 * design.weight_words * 2
    assert silent.product_bits > visits * 8 * 8


counts = st.builds(Work, *[st.floats(1, 1e9)] * 4)


@given(counts, counts, st.lists(st.floats(0, 1e3), min_size=4, max_size=4).filter(any))
def test_ratio_holds_at_any_price(work, base, prices):
    def cost(w):
        return sum(p * getattr(w, name) for p, name in zip(prices, PRICES, strict=True))

    least, greatest = ratio_range(work, base)
    assert least * (1 - 1e-9) <= cost(work) / cost(base) <= greatest * (1 + 1e-9)


def test_estimate_is_in_nanojoule():
    assert estimate(Work(64e3, 0.0, 0.0, 0.0)) == pytest.approx(10.0)
    assert math.isnan(
        event_work(random_image(1, lanes=1), [[[]]], {"register_bits": 1}, 1.0).register_toggles
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    image = random_image(1, lanes=2, neurons=12)
    sequences = [random_events(image, 6, 1)]
    folder = tmp_path_factory.mktemp("recorded")
    return image, folder, cosimulate(image, sequences, folder, record=True)


class TestRecorded:
    def test_signals(self, run):
        """The cycle counter counts cycles; as many operations as the counter says."""
        _, folder, result = run
        last = result.counters["cycles"] - 8
        lanes = [f"triodia.core.lane_{k}.operation" for k in range(2)]
        found = signals(folder / "wave.fst", ["triodia.cycles", *lanes], 20, last)
        assert found["triodia.cycles"].tolist() == list(range(20, last + 1))
        assert sum(int((found[name] == 1).sum()) for name in lanes) == result.operations
        with pytest.raises(KeyError):
            signals(folder / "wave.fst", ["triodia.nothing"], 20, 30)

    def test_toggles(self, run):
        """At least the bits of the cycle counter change, which can be counted."""
        _, folder, result = run
        found = register_toggles(folder / "triodia.v", folder / "wave.fst")
        counted = sum((c ^ (c + 1)).bit_count() for c in range(result.counters["cycles"]))
        assert counted < found["toggles"] < found["register_bits"] * result.counters["cycles"]
        assert found["register_bits"] > 32 * 5
        (folder / "empty.v").write_text("module triodia(clk);\nendmodule\n")
        with pytest.raises(ValueError, match="lacks registers"):
            register_toggles(folder / "empty.v", folder / "wave.fst")

    def test_seen(self, run):
        image, _, result = run
        assert len(result.seen) == 7  # the last is what came behind: nothing
        assert sum(len(step["spikes"]) for step in result.seen) == result.spikes > 0
        for step in result.seen[:6]:
            assert sorted(i for i, _ in step["readouts"]) == image.readouts.tolist()
        assert result.seen[6] == {"spikes": [], "readouts": []}
