from tests.support.networks import random_events, random_image
from triodia_hw.cost.bound import lane_rows, work_of
from triodia_hw.machine.reference import Reference
from triodia_sim.runner import cosimulate


def test_rows_are_the_synapses():
    image = random_image(2, lanes=3, neurons=20)
    rows = lane_rows(image)
    assert rows.sum() == image.synapses
    assert rows.sum(axis=0).tolist() == image.words_per_lane().tolist()


def test_loads_sum_to_the_operations():
    image = random_image(2, lanes=4, neurons=30, inputs=6)
    sequences = [random_events(image, steps, steps) for steps in (7, 5)]
    work = work_of(image, sequences)
    reference, at = Reference(image), 0
    for sequence in sequences:
        reference.reset()
        for events in sequence:
            result = reference.step(events)
            assert work[at].loads.sum() == result.sops
            assert work[at].events == result.events
            assert 0 < work[at].balance <= 1
            at += 1


def test_an_idle_step_costs_a_sweep():
    image = random_image(2, lanes=4, neurons=30, inputs=6)
    (step,) = work_of(image, [[[]]])
    assert step.bound == step.slots == 8
    assert step.balance == 1


def test_the_machine_is_near_its_bound(tmp_path):
    """With work in every step, the busiest PE does a synaptic operation in nearly every cycle."""
    image = random_image(5, lanes=4, neurons=128, inputs=12, density=0.4)
    sequences = [random_events(image, 12, 1, rate=0.9)]
    result = cosimulate(image, sequences, tmp_path, exercise=False)
    bound = sum(step.bound for step in work_of(image, sequences))
    assert result.mismatches == 0
    busiest = sum(step.loads for step in work_of(image, sequences)).max()
    assert busiest <= result.cycles <= 1.1 * bound + 60  # and the first and the last sweep
