# amaranth: UnusedElaboratable=no
"""Fetcher and walker: events to rows to synapses."""

import random

import pytest
from amaranth.hdl import Value

from tests.support.bench import simulate
from tests.support.streams import STALLS
from triodia_hw.gateware.fetcher import Fetcher
from triodia_hw.gateware.shapes import row_layout, synapse_layout
from triodia_hw.gateware.walker import Walker
from triodia_hw.machine.params import MachineParams, bits_for
from triodia_hw.machine.rows import gap_coded
from triodia_hw.machine.words import pack, pointer_fields, synapse_fields

SIZES = {"inputs": 40, "neurons": 20, "lanes": 1, "synapse_words": 600}
MACHINES = {
    "graded": MachineParams(**SIZES),
    "spikes": MachineParams(**SIZES, payload_bits=1),
    "two rows": MachineParams(**SIZES, rows_per_pointer=2, gap_bits=2),
    "eight rows": MachineParams(**SIZES | {"inputs": 37}, rows_per_pointer=8, gap_bits=1),
    "shared rows": MachineParams(**SIZES, shared_rows=True),
}


def groups(p, seed=0):
    """Start and lengths of each group; a third of the rows are empty, a third have one word."""
    chance = random.Random(seed)

    def length():
        return chance.choice([0, 1, chance.randrange(2, p.slots + 1)])

    return [
        (chance.randrange(p.synapse_words), [length() for _ in range(p.rows_per_pointer)])
        for _ in range(p.pointer_words)
    ]


def row_of(p, table, source):
    """Start and length of the row of a source."""
    start, lengths = table[source // p.rows_per_pointer]
    k = source % p.rows_per_pointer
    return (start + sum(lengths[:k])) % (1 << bits_for(p.synapse_words)), lengths[k]


def tokens(p, count, seed=0, ends=0.2):
    chance = random.Random(seed)
    one = {"end": 0, "last": 0, "read": 0, "source": 0, "payload": 0}
    result = []
    for _ in range(count):
        if chance.random() < ends:
            flags = {name: chance.randrange(2) for name in ("last", "read")}
            result.append(one | flags | {"end": 1, "source": chance.randrange(8)})
        else:
            payload = chance.randrange(-128, 128) if p.graded else 0
            result.append(one | {"source": chance.randrange(p.sources), "payload": payload})
    return result


def base_of(p, source):
    """Where a shared row's targets begin: any slot, one for each source."""
    return {"base": 7 * source % (1 << bits_for(p.slots))} if p.shared_rows else {}


def rows_of(p, table, events):
    """What a fetcher puts out: ends, and the segments that are not empty."""
    for token in events:
        start, length = row_of(p, table, token["source"] % p.sources)
        if token["end"] or length:
            yield token, start, length


def fetcher(p, table):
    lengths = [{f"length_{k}": n for k, n in enumerate(some)} for _, some in table]
    starts = [{"start": start} for start, _ in table]
    bases = [base_of(p, source) for source in range(len(table))]
    words = [
        pack(pointer_fields(p), a | b | c) for a, b, c in zip(starts, lengths, bases, strict=True)
    ]
    return Fetcher(p, init=words)


def fetch(dut, events, *, expect, stall=(0, 0)):
    """``[(cycle, row_layout)]`` and the cycles of tokens; 2 go blindly behind each with room."""
    got, sent, chance = [], [], random.Random(1)

    async def run(ctx):
        cycle = blind = late = 0
        while late < 30:
            if ctx.get(dut.i.room) and chance.random() >= stall[0]:
                blind = 3
            valid = blind > 0 and len(sent) < len(events)
            blind -= blind > 0
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.i.payload, events[len(sent)] if valid else {"source": 3, "end": 1})
            take = chance.random() >= stall[1]
            ctx.set(dut.o.ready, take)
            _, _, some, row = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            got.extend([(cycle, row)] if some and take else [])
            sent.extend([cycle] if valid else [])
            late += len(got) >= expect and len(sent) == len(events)
            cycle += 1

    simulate(dut, run)
    return got, sent


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("name", MACHINES)
def test_fetcher(name, stall):
    p = MACHINES[name]
    table, events = groups(p), tokens(p, 250)
    want = list(rows_of(p, table, events))
    got, _ = fetch(fetcher(p, table), events, expect=len(want), stall=stall)
    assert len(got) == len(want) < len(events)
    for (_, row), (token, start, length) in zip(got, want, strict=True):
        assert (row.end, row.payload) == (token["end"], token["payload"])
        assert row.single == (token["end"] or length == 1)
        if token["end"]:
            assert (row.last, row.read) == (token["last"], token["read"])
            assert row.start % 4 == token["source"] % 4
        else:
            assert (row.start, row.length) == (start, length)
            if p.shared_rows:
                assert row.base == base_of(p, token["source"])["base"]


@pytest.mark.parametrize("name", MACHINES)
def test_fetcher_latency_and_throughput(name):
    p = MACHINES[name]
    table = [(k, [1] * p.rows_per_pointer) for k in range(p.pointer_words)]
    events = [{"source": k} for k in range(p.sources)]
    got, sent = fetch(fetcher(p, table), events, expect=p.sources)
    assert sent == list(range(p.sources))
    assert [cycle for cycle, _ in got] == [cycle + 6 for cycle in sent]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_fetcher_looks_ahead(after):
    """While nobody takes rows, the fetcher has room until 10 wait, takes 2 more, loses none."""
    p = MACHINES["graded"]
    dut = fetcher(p, [(source, [2]) for source in range(p.sources)])

    async def run(ctx):
        taken = 0
        while ctx.get(dut.i.room):
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.payload, {"source": taken})
            await ctx.tick()
            taken += 1
        for _ in range(after):
            ctx.set(dut.i.payload, {"source": taken})
            await ctx.tick()
            taken += 1
        assert taken >= 10
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(20)
        ctx.set(dut.o.ready, 1)
        for source in range(taken):
            *_, valid, start = await ctx.tick().sample(dut.o.valid, dut.o.p.start)
            assert (valid, start) == (1, source)
        assert not ctx.get(dut.o.valid)

    simulate(dut, run)


def synapses(p, seed=0):
    """Words of the whole memory; some are fillers."""
    chance = random.Random(seed)
    return [
        {
            "weight": chance.choice([0, *[chance.randrange(-128, 128)] * 4]),
            "gap": chance.randrange(1 << p.gap_width),
        }
        for _ in range(p.synapse_words)
    ]


def walk(p, memory, rows, stall=0.0, tail=20):
    """``[(cycle, end, flags, synapse)]`` of a walker fed with ``rows``, and when it took them."""
    dut = Walker(p, init=[pack(synapse_fields(p), synapse) for synapse in memory])
    seen, sent, chance = [], [], random.Random(4)
    words = [row_layout(p).const(row).as_bits() for row in rows]

    async def run(ctx):
        cycle, left, offered = 0, tail, False
        while left:
            offered = offered or (len(sent) < len(words) and chance.random() >= stall)
            ctx.set(dut.i.valid, offered)
            if offered:
                ctx.set(Value.cast(dut.i.payload), words[len(sent)])
            o = dut.o
            _, _, ready, valid, end, *flags, word = await ctx.tick().sample(
                dut.i.ready, o.valid, o.end, o.last, o.read, o.what, Value.cast(o.payload)
            )
            assert not (valid and end)
            if valid or end:
                seen.append((cycle, end, flags, synapse_layout(p).from_bits(word)))
            if offered and ready:
                sent.append(cycle)
                offered = False
            left -= len(sent) == len(words) and not (valid or end)
            cycle += 1

    simulate(dut, run)
    return seen, sent


def random_rows(p, count):
    """Rows as a fetcher sends them; their words need not form a network's row."""
    table, events = groups(p, seed=2), tokens(p, count, seed=3)
    for token, start, length in rows_of(p, table, events):
        single = int(token["end"] or length == 1)
        start = token["source"] % 4 if token["end"] else min(start, p.synapse_words - length)
        rest = {"start": start, "length": length, "single": single}
        rest |= base_of(p, token["source"])
        yield {name: token[name] for name in ("end", "last", "read", "payload")} | rest


def expected(p, memory, rows):
    for row in rows:
        target = row.get("base", -1)
        if row["end"]:
            yield "end", row["last"], row["read"], row["start"] % 4
            continue
        for k in range(row["start"], row["start"] + row["length"]):
            weight = memory[k]["weight"]
            target = (target + memory[k]["gap"] + 1) % (1 << bits_for(p.slots))
            yield target, weight, row["payload"], weight != 0


@pytest.mark.parametrize("stall", [0, 0.5, 0.9])
@pytest.mark.parametrize("name", MACHINES)
def test_walker(name, stall):
    p = MACHINES[name]
    memory, rows = synapses(p), list(random_rows(p, 90))
    seen, _ = walk(p, memory, rows, stall)
    got = [
        ("end", *flags) if end else (out.target, out.weight, out.payload, out.some != 0)
        for _, end, flags, out in seen
    ]
    assert got == list(expected(p, memory, rows))


@pytest.mark.parametrize("name", MACHINES)
def test_walker_latency_and_throughput(name):
    """One word per cycle, no gap between rows; an end takes one cycle."""
    p = MACHINES[name]
    memory, rows = synapses(p), list(random_rows(p, 90))
    seen, sent = walk(p, memory, rows)
    cycles = [cycle for cycle, *_ in seen]
    assert cycles == list(range(5, 5 + len(cycles)))
    lengths = [1 if row["end"] else row["length"] for row in rows]
    assert sent == [sum(lengths[:k]) for k in range(len(rows))]


@pytest.mark.parametrize("gap_bits", [1, 2, 3, 5])
def test_walker_decodes_what_is_coded(gap_bits):
    """Coded rows of random targets, stored in sequence, yield each target once, in order."""
    p, chance = MachineParams(**SIZES, gap_bits=gap_bits), random.Random(gap_bits)
    segments, memory, rows = [], [], []
    for _ in range(25):
        targets = sorted(chance.sample(range(p.slots), chance.randrange(1, 7)))
        segments.append([(target, chance.choice([-5, 7])) for target in targets])
        words = gap_coded(segments[-1], p.gap_width)
        row = {"start": len(memory), "length": len(words), "single": len(words) == 1}
        rows.append(row | {"payload": 3})
        memory += [{"gap": gap, "weight": weight} for gap, weight in words]
    seen, _ = walk(p, memory, rows)
    got = [(out.target, out.weight) for *_, out in seen if out.some]
    assert got == [pair for segment in segments for pair in segment]
