# amaranth: UnusedElaboratable=no
"""Load another network into a running machine."""

import random
import struct
from dataclasses import replace

import pytest

from tests.support.bench import simulate
from tests.support.host import Host
from tests.support.networks import random_events, random_image
from triodia_hw.compile.contents import contents, memory_shapes
from triodia_hw.compile.loading import load_bytes, load_words
from triodia_hw.compile.options import QUEUES
from triodia_hw.errors import ContractError
from triodia_hw.machine.words import INPUT_KINDS, MEMORY_NUMBERS, input_fields, pack

CASES = [
    {"lanes": 1, "neurons": 9},
    {"lanes": 4, "neurons": 13, "refractory_bits": 3, "reset": "value", "gap_bits": 1},
    {"lanes": 3, "neurons": 8, "synaptic": True, "bias_bits": 8, "payload_bits": 1},
    {"lanes": 2, "neurons": 20, "synaptic": True, "state_bits": 12, "full_scale": True},
    {"lanes": 2, "neurons": 12, "adaptive": True, "bias_bits": 8},
    {"lanes": 2, "neurons": 12, "delays": (1, 4)},
]


def pair(rows_per_pointer=2, **case):
    """Two networks, re-made for parameters that hold both."""
    gap_bits = case.pop("gap_bits", 14)
    images = [random_image(seed, **case) for seed in (1, 2)]
    wide = max(image.params.accumulator_bits for image in images)
    p = replace(
        images[0].params,
        accumulator_bits=wide,
        gap_bits=gap_bits,
        synapse_words=600,
        row_words=images[0].params.slots,
        rows_per_pointer=rows_per_pointer,
    )
    return [replace(image, params=p) for image in images]


@pytest.mark.parametrize("stall", [(0, 0), (0.3, 0.3)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_second_network(case, stall):
    """Spikes, readouts and state equal those of a fresh reference."""
    check_second_network(case, stall)


SMALL_FPGAS = {
    "registers, adders": {"multiplier_parts": 4},
    "single-port memory": {"single_port": ("synapses",), "queues": QUEUES},
}


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("kind", SMALL_FPGAS)
def test_machines_of_small_fpgas(kind, case):
    """A machine built with iCE40 options loads equally well."""
    check_second_network(case, (0.1, 0.1), family="ice40", **SMALL_FPGAS[kind])


def check_second_network(case, stall, **options):
    first, second = pair(**case)
    host, spikes = Host(first, stall=stall, **options), 0
    loaded = None if options.get("single_port") else first

    async def run(ctx):
        nonlocal spikes, loaded
        for image in (first, second, first):
            if image is not loaded:
                loaded = image
                await host.load(ctx, image)
            await host.compare_state(ctx)
            for t, events in enumerate(random_events(image, 6, 3)):
                spikes += await host.step(ctx, events, last=t == 2)
            await host.compare_state(ctx)

    simulate(host.dut, run)
    assert spikes > 20


@pytest.mark.parametrize("case", CASES[1:3], ids=str)
def test_load_in_mid_step(case):
    """At any moment: events sent, their step not ended; the sweep under way; spikes on the bus."""
    images = pair(**case)
    host, chance = Host(images[0]), random.Random(2)

    async def run(ctx):
        for number in range(6):
            for events in random_events(host.image, 2, number):
                await host.step(ctx, events)
            await host.events(ctx, random_events(host.image, 1, number, rate=1.0)[0])
            if number % 2:
                await host.send(ctx, "end", last=number % 3 == 0)
            await ctx.tick().repeat(chance.randrange(1, 40))
            await host.load(ctx, images[1 - number % 2])
            for events in random_events(host.image, 3, number):
                await host.step(ctx, events)

    simulate(host.dut, run)


@pytest.mark.parametrize("pause", [0, 1, 2, 3, 5, 40])
def test_reset_and_load_again(pause):
    """After a load that a reset or an early end cut short, the next load works."""
    images = pair(**CASES[1])
    host = Host(images[0])

    async def run(ctx):
        for words in (load_words(images[1])[:90], load_words(images[1])[:91]):
            for number, word in enumerate(words):
                last = len(words) == 91 and number == 90
                await host.send(ctx, "load", source=word["source"], last=int(last))
            for _ in range(pause):
                await ctx.tick()
            if len(words) == 90:
                await host.reset(ctx)
            await host.load(ctx, images[1])
            for events in random_events(images[1], 3, 4):
                await host.step(ctx, events)

    simulate(host.dut, run)


def test_without_loadable_memories():
    """A load changes nothing at all, and the memories have no write port."""
    first, second = pair(**CASES[0])
    host = Host(first, loadable=False)

    async def run(ctx):
        for t, events in enumerate(random_events(first, 6, 3)):
            await host.step(ctx, events)
            if t == 3:
                for word in load_words(second):
                    await host.send(ctx, "load", source=word["source"], last=word["last"])
        await host.compare_state(ctx)

    simulate(host.dut, run)


def unloaded(p, data):
    """Memories that ``data`` fills, by PE and name: ``{address: word}``."""
    names = {number: name for name, number in MEMORY_NUMBERS.items()}
    shapes = {s.name: s for s in memory_shapes(p)}
    result = [{name: {} for name in names.values()} for _ in range(p.lanes)]
    while data:
        lane, memory, address, count = struct.unpack("<BBHH", data[:6])
        size = -(-shapes[names[memory]].width // 8)
        body, data = data[6 : 6 + count * size], data[6 + count * size :]
        assert 0 < count and len(body) == count * size
        for k in range(count):
            word = int.from_bytes(body[k * size : (k + 1) * size], "little")
            assert address + k not in result[lane][names[memory]]
            result[lane][names[memory]][address + k] = word
    return result


@pytest.mark.parametrize("case", [*CASES, {"lanes": 2, "density": 0.0}], ids=str)
def test_bytes_hold_the_contents(case):
    """Each word appears once; only zero padding is left out."""
    image = pair(**case)[0]
    p = image.params
    used = {"pointers": p.pointer_words, "neurons": p.slots + (5 if p.adaptive else 3)}
    for lane, memories in enumerate(unloaded(p, load_bytes(image))):
        count = used | {"synapses": image.words_per_lane()[lane]}
        for name, words in memories.items():
            assert sorted(words) == list(range(count[name]))
            assert [words[k] for k in sorted(words)] == contents(image)[lane][name][: count[name]]
            assert not any(contents(image)[lane][name][count[name] :])


def test_words():
    image = pair(**CASES[0])[0]
    words = load_words(image)
    assert bytes(word["source"] for word in words) == load_bytes(image)
    assert {word["kind"] for word in words} == {INPUT_KINDS["load"]}
    assert [word["last"] for word in words] == [0] * (len(words) - 1) + [1]
    for word in words:
        assert pack(input_fields(image.params), word)


def test_long_memories_go_in_several_blocks(monkeypatch):
    monkeypatch.setattr("triodia_hw.compile.loading._MOST", 7)
    image = pair(**CASES[3])[0]
    assert unloaded(image.params, load_bytes(image))[0]["pointers"].keys() == set(range(12))


def test_memories_beyond_reach(monkeypatch):
    monkeypatch.setattr("triodia_hw.compile.loading._REACH", 11)
    image = pair(**CASES[3])[0]
    text = r"^pointers of a PE must be at most 11 words to be loaded, not 12$"
    with pytest.raises(ContractError, match=text):
        load_bytes(image)
