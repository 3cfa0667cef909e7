# amaranth: UnusedElaboratable=no
import random

import numpy as np
import pytest

from tests.support.bench import simulate
from triodia_hw.compile.contents import accumulator_width, read_words
from triodia_hw.machine.neuron import NEURON, NeuronParams, State
from triodia_hw.machine.params import MachineParams
from triodia_hw.machine.words import READ_KINDS, neuron_fields, state_fields, unpack

LATENCY = 9
CASES = [
    {},
    {"synaptic": True, "reset": "value", "bias_bits": 10, "refractory_bits": 3},
    {"payload_bits": 1, "fraction_bits": 7, "accumulator_bits": 20},
    {"payload_bits": 1, "synaptic": True, "refractory_bits": 1, "accumulator_bits": 12},
    {"state_bits": 4, "leak_bits": 1, "bias_bits": 4, "accumulator_bits": 2},
    {"state_bits": 24, "leak_bits": 16, "synaptic": True, "bias_bits": 24, "accumulator_bits": 40},
    {"state_bits": 9, "accumulator_bits": 30, "reset": "value", "refractory_bits": 8},
    {"state_bits": 24, "leak_bits": 16, "bias_bits": 1, "accumulator_bits": 2},
    {"state_bits": 9, "refractory_bits": 8, "accumulator_bits": 2},
    {"state_bits": 10, "fires": "above", "bias_bits": 3},
    {"fires": "above", "reset": "value", "synaptic": True, "refractory_bits": 2},
    {"adaptive": True},
    {"adaptive": True, "state_bits": 6, "leak_bits": 2, "accumulator_bits": 4, "fires": "above"},
    {"adaptive": True, "synaptic": True, "refractory_bits": 3, "reset": "value", "bias_bits": 9},
    {"adaptive": True, "state_bits": 24, "leak_bits": 16, "payload_bits": 1, "refractory_bits": 8},
]


def drawn(chance, low, high):
    """Draw often a corner value, else any value."""
    corners = [x for x in (low, low + 1, -1, 0, 1, high - 1, high) if low <= x <= high]
    return chance.choice(corners) if chance.random() < 0.4 else chance.randint(low, high)


def cases(p, count, seed=0):
    """Random inputs: one dict each of neuron, state and sum; a third are near the threshold."""
    chance, result = random.Random(seed), []
    low, high = p.state_range
    leak, rest, bias = 1 << p.leak_bits, (1 << p.refractory_bits) - 1, 1 << max(p.bias_bits - 1, 0)
    half = 1 << (accumulator_width(p) - 1)
    for number in range(count):
        one = {"threshold": drawn(chance, 1, high), "reset_value": drawn(chance, low, high)}
        one |= {"beta": drawn(chance, 0, leak), "alpha": drawn(chance, 0, leak)}
        one |= {"refractory": drawn(chance, 0, rest), "spiking": chance.randrange(4) > 0}
        one |= {"bias": drawn(chance, -bias, bias - 1) if p.bias_bits else 0}
        one |= {"readout": not one["spiking"] and chance.randrange(2), "r": 0}
        one |= {"v": drawn(chance, low, high), "u": drawn(chance, low, high) if p.synaptic else 0}
        one |= {"rho": drawn(chance, 0, leak) if p.adaptive else 0}
        one |= {name: drawn(chance, 0, high) if p.adaptive else 0 for name in ("jump", "b")}
        if chance.random() < 0.7:  # else few reach their threshold
            one["b"] = min(one["b"], chance.randint(0, 1 + one["b"] // 8))
        if chance.random() < 0.3:
            one["r"] = drawn(chance, 0, rest)
        if number % 3 == 0:  # no leak, no sum: the potential decides alone
            one |= {"beta": leak, "alpha": 0, "bias": 0, "sum": 0, "r": 0}
            if p.adaptive:
                room = high - one["threshold"]
                one |= {"rho": leak, "b": chance.choice([min(one["b"], room), room // 2])}
            level = one["threshold"] + one["b"]
            one["v"] = min(high, max(low, level + chance.randint(-1, 1)))
        else:
            one["sum"] = drawn(chance, -half, half - 1)
        result.append(one)
    return result


def expected(p, todo, zero=False):
    """Outputs by the contract: next state, spike, readout and what a readout shows."""
    columns = {name: np.array([one[name] for one in todo], np.int64) for name in todo[0]}
    flags = {name: columns.pop(name).astype(bool) for name in ("spiking", "readout")}
    state = State(*(columns.pop(name) for name in "vurb"))
    a = columns.pop("sum") << (0 if p.graded else p.fraction_bits)
    after, spike = NEURON.step(p, NeuronParams(**columns, **flags), state, a)
    shown = np.where(flags["readout"], after.v, 0)
    kept = State.zero(len(todo)) if zero else after
    lists = (kept.v, kept.u, kept.r, kept.b, spike, flags["readout"], shown)
    return list(zip(*(values.tolist() for values in lists), strict=True))


def outputs(p, out):
    names = [name for name, *_ in state_fields(p)]
    u = out.state.u if "u" in names else 0
    r = out.state.r if "r" in names else 0
    b = out.state.b if "b" in names else 0
    return out.state.v, u, r, b, out.spike, out.readout, out.value


async def through(ctx, dut, p, todo, check):
    """Feed ``todo`` with gaps, its sums 4 cycles late; ``check`` each output with its number."""
    chance, sent, at = random.Random(1), [], 0  # sent: what entered in each cycle
    while len(sent) < LATENCY or any(one is not None for one in sent[-LATENCY:]):
        valid = at < len(todo) and (at < 100 or chance.random() < 0.8)
        number = min(at, len(todo) - 1)
        word = {"end": number % 5 == 3}
        word["neuron"] = {name: todo[number][name] for name, *_ in neuron_fields(p)}
        word["state"] = {name: todo[number][name] for name, *_ in state_fields(p)}
        ctx.set(dut.i.valid, valid)
        ctx.set(dut.i.payload, word)
        late = sent[-4] if len(sent) >= 4 else None
        ctx.set(dut.sum, 0 if late is None else todo[late]["sum"])
        *_, some, out, wanted, fetch = await ctx.tick().sample(
            dut.o.valid, dut.o.payload, dut.fetch.valid, dut.fetch.payload
        )
        sent.append(number if valid else None)
        asked = sent[-3] if len(sent) > 2 else None
        assert wanted == (asked is not None)
        assert not wanted or fetch.end == (asked % 5 == 3)
        at += valid
        due = sent[-1 - LATENCY] if len(sent) > LATENCY else None
        assert some == (due is not None)
        if due is not None:
            assert out.end == (due % 5 == 3)
            check(due, out)
    assert at == len(todo)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_equals_contract(case, zero):
    """Latency 9 cycles, one neuron per cycle, gaps and end unchanged; an end shows no value."""
    p = MachineParams(inputs=5, neurons=30, lanes=2, **case)
    dut, todo = NEURON.create(p), cases(p, 150 if zero else 400)
    want = expected(p, todo, zero)
    spikes = [one[4] for one in want]
    assert 20 < sum(spikes) < 380

    def check(number, out):
        shown = 0 if number % 5 == 3 else want[number][-1]
        assert outputs(p, out) == (*want[number][:-1], shown), todo[number]

    async def run(ctx):
        ctx.set(dut.zero, zero)
        await through(ctx, dut, p, todo, check)

    simulate(dut, run)


@pytest.mark.parametrize("what", "vurb")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_read(case, what):
    """Read words show any state unchanged, whatever the sums are."""
    p = MachineParams(inputs=5, neurons=30, lanes=2, **case)
    if what == "b" and not p.adaptive:  # there is no such read
        assert len(read_words(p)) == READ_KINDS["b"] - 1
        return
    dut, todo = NEURON.create(p), cases(p, 120, seed=3)
    neuron = unpack(neuron_fields(p), read_words(p)[READ_KINDS[what]])
    rest = random.Random(4)
    for one in todo:
        one |= neuron | {"r": drawn(rest, 0, (1 << p.refractory_bits) - 1)}

    def check(number, out):
        assert (out.spike, out.readout) == (0, 1)
        if number % 5 != 3:
            assert out.value == todo[number][what], todo[number]

    async def run(ctx):
        ctx.set(dut.read, 1)
        ctx.set(dut.rest, what == "r")
        if p.adaptive:
            ctx.set(dut.adapted, what == "b")
        await through(ctx, dut, p, todo, check)

    simulate(dut, run)
