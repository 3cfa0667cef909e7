"""The second model, written from the contract alone, against images and the integer reference."""

from random import Random

import numpy as np
import pytest

from tests.oracle.files import read_image, write_image
from tests.oracle.memories import Memories, signed, slots_of
from tests.oracle.model import READOUT, SPIKE, Model, classify, encode, network_of
from tests.oracle.random_machines import random_machine
from triodia_hw.compile.loading import load_bytes
from triodia_hw.machine.coding import InputCoding
from triodia_hw.machine.image import load_image, save_image
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.reference import Reference

MACHINES = 120


def random_words(params, seed, steps=14):
    """Input words of a run: events once a channel and step at most, limits too; reads; ends."""
    rng, words = Random(seed), []
    half = 1 << params["payload_bits"] >> 1
    longest = max(params["delays"], default=0)
    for step in range(steps := steps + longest):
        channels = [c for c in range(params["inputs"]) if rng.random() < 0.6]
        rng.shuffle(channels)
        for channel in channels:
            payload = rng.choice([-half, half - 1, rng.randint(-half, half - 1)])
            words.append((0, 0, channel, payload if params["payload_bits"] > 1 else 1))
        words.append((1, int(step % (longest + 6) == longest + 5 or step == steps - 1), 0, 0))
    return words


def reference_steps(image, words):
    """(spikes, readouts, state, last) of each step, in numbers of the wire; and the counters."""
    reference, events, results, counted = Reference(image), [], [], [0, 0]
    source = image.source_of_neuron()
    for kind, last, channel, payload in words:
        if kind == 0:
            events.append((channel, payload))
            continue
        got = reference.step(events, last=bool(last))
        events = []
        counted = [counted[0] + got.events, counted[1] + got.sops]
        readouts = zip(source[image.readouts].tolist(), got.readouts.tolist(), strict=True)
        results.append((sorted(source[got.spikes].tolist()), sorted(readouts), got.state, last))
    return results, counted


def place(image, values):
    """Values by slot from values by neuron; 0 where there is no neuron."""
    out = np.zeros(image.params.lanes * image.params.slots, np.int64)
    out[image.slot] = values
    return out.tolist()


def check(params, network, image, words):
    """Run oracle and reference; every spike, readout and state word must be equal."""
    model = Model(params, network)
    states = []
    for word in words:
        before = len(model.groups)
        model.take(*word)
        if len(model.groups) > before:
            states.append(tuple(list(getattr(model, name)) for name in "vurb"))
    want, counted = reference_steps(image, words)
    assert len(model.groups) == len(want) > 0
    for words_of_step, state, (spikes, readouts, after, last) in zip(
        model.groups, states, want, strict=True
    ):
        *items, end = words_of_step
        assert [s for k, _, s, _ in items if k == SPIKE] == spikes
        assert [(s, v) for k, _, s, v in items if k == READOUT] == readouts
        assert end[:2] == (2, last)
        if not last:
            assert state == tuple(place(image, getattr(after, name)) for name in "vurb")
    assert (model.events, model.operations) == tuple(counted)
    return sum(len(spikes) for spikes, *_ in want)


@pytest.mark.parametrize("first", range(0, MACHINES, 30))
def test_oracle_equals_reference(first, tmp_path):
    """Random machines over the whole parameter space, written and read as files."""
    spikes = 0
    for seed in range(first, first + 30):
        params, arrays = random_machine(seed)
        file = tmp_path / "random.image"
        write_image(file, params, arrays)
        image = load_image(file)
        words = random_words(params, seed)
        spikes += check(params, network_of(params, arrays), image, words)
        # The same network from the bytes that load it.
        memories = Memories(params)
        memories.load(load_bytes(image))
        check(params, memories.network(), image, words)
    assert spikes > 200


@pytest.mark.parametrize("delays", [False, True])
@pytest.mark.parametrize("adaptive", [False, True])
def test_files_both_ways(adaptive, delays, tmp_path):
    """A file of the program passes the document's digest and check, and holds the same."""
    machines = map(random_machine, range(MACHINES))
    kinds = ((params["adaptive"], bool(params["delays"])) for params, _ in machines)
    params, arrays = random_machine([*kinds].index((adaptive, delays)))
    write_image(tmp_path / "a.image", params, arrays)
    save_image(load_image(tmp_path / "a.image"), tmp_path / "b.image")
    read, got, coding = read_image(tmp_path / "b.image")
    assert read.get("adaptive", False) == adaptive and ("rho" in got) == adaptive
    assert ("delays" in read) == delays
    assert (read, got, coding) == ({k: params[k] for k in read}, arrays, None)
    assert params.keys() - read.keys() <= {"adaptive", "delays"}


def test_coding_and_class():
    rng = Random(3)
    params = {"payload_bits": 8, "fraction_bits": 5}
    coding = InputCoding(mean=np.array([1.0, -2.0]), std=np.array([0.5, 3.0]), clip=4.0)
    values = np.array([[rng.uniform(-9, 9) for _ in range(2)] for _ in range(200)])
    payloads = coding.payloads(MachineParams(inputs=2, neurons=1, lanes=1, **params), values)
    want = [
        [encode(v, m, s, 4.0, params) for v, m, s in zip(row, (1.0, -2.0), (0.5, 3.0), strict=True)]
        for row in values.tolist()
    ]
    assert payloads.tolist() == want
    params = {"inputs": 2, "neurons": 3, "lanes": 2}
    arrays = {"slot": [3, 1, 0], "readout": [1, 0, 1]}
    assert slots_of(params) == 2
    groups = [[(1, 0, 5, 4), (1, 0, 2, 3), (2, 1, 0, 0)], [(1, 0, 5, 1), (1, 0, 2, 2)]]
    assert classify(params, arrays, groups) == 0  # a tie
    assert classify(params, arrays, [*groups, [(1, 0, 2, 1)]]) == 1
    assert signed(0b110, 3) == -2
