# amaranth: UnusedElaboratable=no
"""Read state and counters from a running machine; reset it."""

import random

import pytest

from tests.support.bench import get, put, simulate
from tests.support.host import Host
from tests.support.networks import random_events, random_image
from triodia_hw.machine.words import INPUT_KINDS, OUTPUT_KINDS, READ_KINDS

CASES = [
    {"lanes": 1},
    {"lanes": 4, "neurons": 13, "refractory_bits": 3, "reset": "value"},
    {"lanes": 3, "synaptic": True, "bias_bits": 8, "payload_bits": 1},
    {"lanes": 2, "neurons": 7, "synaptic": True, "state_bits": 9, "refractory_bits": 8},
    {"lanes": 1, "neurons": 1, "readouts": 0, "inputs": 1, "density": 1.0, "refractory_bits": 2},
    {"lanes": 1, "neurons": 4, "weight_bits": 2, "payload_bits": 1, "refractory_bits": 8}
    | {"density": 0.6, "fraction_bits": 0},
    {"lanes": 2, "neurons": 9, "adaptive": True},
    {"lanes": 2, "neurons": 9, "delays": (1, 3)},
    {"lanes": 3, "adaptive": True, "synaptic": True, "refractory_bits": 3, "reset": "value"},
]


@pytest.mark.parametrize("stall", [(0, 0), (0.5, 0.5)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_state(case, stall):
    """The state of every slot after each step; reads change nothing that follows."""
    image = random_image(2, **case)
    host, resting = Host(image, stall=stall), 0

    async def run(ctx):
        nonlocal resting
        await host.compare_state(ctx)  # zero, behind the sweep after reset
        for t, events in enumerate(random_events(image, 12, 2, rate=0.9)):
            await host.step(ctx, events, last=t == 7)
            await host.compare_state(ctx)
            resting += host.state.r.any()

    simulate(host.dut, run)
    assert resting or not case.get("refractory_bits")


@pytest.mark.parametrize("case", CASES[1:4], ids=str)
def test_read_behind_the_events_of_a_step(case):
    """A read between events loses none of them and shows the state before their step."""
    image = random_image(2, **case)
    host = Host(image)

    async def run(ctx):
        for events in random_events(image, 8, 2, rate=0.9):
            await host.events(ctx, events[: len(events) // 2])
            await host.compare_state(ctx)
            await host.events(ctx, events[len(events) // 2 :])
            await host.compare_state(ctx)
            await host.step(ctx, events, sent=True)

    simulate(host.dut, run)


def test_reads_without_waiting():
    """Reads, steps and counters sent at once: every answer comes, in order."""
    image = random_image(2, **CASES[1])
    host, steps = Host(image), random_events(image, 6, 2)
    p, reads = image.params, ["v", "r", "v"]

    async def feed(ctx):
        for events in steps:
            await host.events(ctx, events)
            await host.send(ctx, "end")
            for what in reads:
                await host.send(ctx, "read", source=READ_KINDS[what], last=1)
                await host.send(ctx, "read", source=READ_KINDS["counters"])

    async def check(ctx):
        counts, source = 0, image.source_of_neuron()
        for events in steps:
            want = host.reference.step(events)
            for what in (None, *reads):
                words = []
                while (word := await get(ctx, host.dut.o)).kind != OUTPUT_KINDS["end"]:
                    words.append(word)
                assert word.last == 0
                counts += sum(word.kind == OUTPUT_KINDS["count"] for word in words)
                got = {
                    word.source: word.value
                    for word in words
                    if word.kind == OUTPUT_KINDS["readout"]
                }
                if what is None:
                    expected = dict(zip(source[image.readouts], want.readouts, strict=True))
                else:
                    expected = dict.fromkeys(range(p.inputs, p.sources), 0)
                    values = getattr(want.state, what)
                    expected |= dict(zip(source.tolist(), values.tolist(), strict=True))
                assert got == expected
        while counts < 10 * len(reads) * len(steps):
            counts += (await get(ctx, host.dut.o)).kind == OUTPUT_KINDS["count"]

    simulate(host.dut, feed, check)


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[4]], ids=str)
def test_counters(case):
    """Counters read twice equal their ports; reads of state add only cycles."""
    image = random_image(2, **case)
    host = Host(image)

    async def run(ctx):
        for events in random_events(image, 10, 2, rate=0.9):
            await host.step(ctx, events)
            await host.compare_state(ctx)
            await ctx.tick().repeat(40)  # spikes are delivered, and counters lag
            before, read, after = host.ports(ctx), await host.counters(ctx), host.ports(ctx)
            assert before["cycles"] < read.pop("cycles") < after["cycles"]
            assert before["output_stalls"] <= read.pop("output_stalls") <= after["output_stalls"]
            assert read == {name: after[name] for name in read}
            assert read.items() >= host.counts().items()
        assert read["operations"] >= 10

    simulate(host.dut, run)


@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_reset_in_mid_step(case):
    """A reset at any moment, the receiver busy or not, leaves a fresh machine."""
    image = random_image(2, **case)
    host, chance = Host(image), random.Random(3)
    dut = host.dut

    async def disturb(ctx, cycles):
        """Send steps endlessly and take output only now and then."""
        words = []
        for events in random_events(image, 20, 5, rate=0.9):
            words += [{"kind": INPUT_KINDS["event"], "source": c, "payload": v} for c, v in events]
            words += [{"kind": INPUT_KINDS["end"]}]
        words += [{"kind": INPUT_KINDS["read"], "source": 3}]
        for _ in range(cycles):
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.payload, words[0])
            ctx.set(dut.o.ready, chance.random() < 0.5)
            *_, taken = await ctx.tick().sample(dut.i.ready)
            words = words[taken:]
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 0)

    async def run(ctx):
        for number in range(40):
            await disturb(ctx, chance.randrange(1, 150))
            await host.reset(ctx)
            if number % 4 == 0:
                await host.compare_state(ctx)
            for last, events in enumerate(random_events(image, 2, number, rate=0.9)):
                await host.step(ctx, events, last=bool(last))
        await ctx.tick().repeat(5)
        assert host.ports(ctx).items() >= host.counts().items()

    simulate(dut, run)


def test_words_under_way_are_not_taken_in_reset():
    """While reset is held no word is taken and none comes out."""
    image = random_image(1, lanes=2)
    host = Host(image)
    dut = host.dut

    async def run(ctx):
        ctx.set(dut.reset, 1)
        ctx.set(dut.o.ready, 1)
        await ctx.tick().repeat(4)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, {"kind": INPUT_KINDS["end"]})
        for _ in range(50):
            *_, taken, valid = await ctx.tick().sample(dut.i.ready, dut.o.valid)
            assert (taken, valid) == (0, 0)
        ctx.set(dut.i.valid, 0)
        await host.reset(ctx)
        assert await host.step(ctx, [(0, 100), (1, 100), (2, 100)]) >= 0
        await put(ctx, dut.i, {"kind": INPUT_KINDS["end"]})

    simulate(dut, run)
