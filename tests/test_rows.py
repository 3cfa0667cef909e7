# amaranth: UnusedElaboratable=no
"""Fetcher and walker: from events to rows to synapses."""

import random

import pytest
from amaranth.hdl import Value

from tests.bench import simulate
from tests.streams import STALLS, through
from triodia_hw.contract import MachineParams
from triodia_hw.gateware.fetcher import Fetcher
from triodia_hw.gateware.shapes import row_layout, token_layout
from triodia_hw.gateware.walker import Walker, synapse_layout
from triodia_hw.layout import pack, pointer_fields, synapse_fields

P = MachineParams(inputs=40, neurons=20, lanes=1, synapse_words=600)
SPIKES = MachineParams(inputs=40, neurons=20, lanes=1, synapse_words=600, payload_bits=1)


def pointers(p, seed=0):
    """Start and length of each source's row; a third are empty, a third have one synapse."""
    chance = random.Random(seed)
    lengths = [chance.choice([0, 1, chance.randrange(2, p.slots + 1)]) for _ in range(p.sources)]
    return [(chance.randrange(p.synapse_words - p.slots), length) for length in lengths]


def tokens(p, count, seed=0, ends=0.2):
    chance = random.Random(seed)
    one = {"end": 0, "last": 0, "source": 0, "payload": 0}
    result = []
    for _ in range(count):
        if chance.random() < ends:
            result.append(one | {"end": 1, "last": chance.randrange(2), "source": 7})
        else:
            payload = chance.randrange(-128, 128) if p.graded else 0
            result.append(one | {"source": chance.randrange(p.sources), "payload": payload})
    return result


def rows_of(table, events):
    """What a fetcher puts out: ends, and the segments that are not empty."""
    for token in events:
        start, length = table[token["source"]]
        if token["end"] or length:
            yield token, start, length


def fetcher(p, table):
    words = [pack(pointer_fields(p), {"start": s, "length": n}) for s, n in table]
    return Fetcher(p, init=words)


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("p", [P, SPIKES], ids=["graded", "spikes"])
def test_fetcher(p, stall):
    table, events = pointers(p), tokens(p, 150)
    want = list(rows_of(table, events))
    words = [token_layout(p).const(token).as_bits() for token in events]
    log = through(fetcher(p, table), words, expect=len(want), stall=stall)
    assert len(log.got) == len(want) < len(events)
    for word, (token, start, length) in zip(log.words, want, strict=True):
        row = row_layout(p).from_bits(word)
        assert (row.end, row.payload) == (token["end"], token["payload"])
        assert row.single == (token["end"] or length == 1)
        if token["end"]:
            assert row.last == token["last"]
        else:
            assert (row.start, row.length) == (start, length)


def test_fetcher_latency_and_throughput():
    table = [(source, 1) for source in range(P.sources)]
    words = [token_layout(P).const({"source": k}).as_bits() for k in range(P.sources)]
    log = through(fetcher(P, table), words)
    assert log.sent[0] == list(range(P.sources))
    assert log.cycles == [cycle + 4 for cycle in log.sent[0]]


def test_fetcher_looks_ahead():
    """With nobody taking rows it goes on until 16 wait at least, and then loses none."""
    table = [(source, 2) for source in range(P.sources)]
    dut = fetcher(P, table)

    async def run(ctx):
        taken = 0
        for _ in range(60):
            ctx.set(dut.i.valid, 1)
            ctx.set(dut.i.p.source, taken)
            *_, ready = await ctx.tick().sample(dut.i.ready)
            taken += ready
        assert 16 <= taken < 20
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 1)
        for source in range(taken):
            *_, valid, start = await ctx.tick().sample(dut.o.valid, dut.o.p.start)
            assert (valid, start) == (1, source)

    simulate(dut, run)


def synapses(p, seed=0):
    chance = random.Random(seed)
    return [
        {"weight": chance.randrange(-128, 128), "target": chance.randrange(p.slots)}
        for _ in range(p.synapse_words)
    ]


def walk(p, memory, rows, stall=0.0, tail=20):
    """``[(cycle, synapse_layout)]`` of a walker fed with ``rows``, and the cycles it took them."""
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
            _, _, ready, word = await ctx.tick().sample(dut.i.ready, Value.cast(dut.o))
            out = synapse_layout(p).from_bits(word)
            assert not (out.valid and out.end)
            if out.valid or out.end:
                seen.append((cycle, out))
            if offered and ready:
                sent.append(cycle)
                offered = False
            left -= len(sent) == len(words) and not (out.valid or out.end)
            cycle += 1

    simulate(dut, run)
    return seen, sent


def random_rows(p, count):
    table, events = pointers(p, seed=2), tokens(p, count, seed=3)
    for token, start, length in rows_of(table, events):
        single = int(token["end"] or length == 1)
        rest = {"start": start, "length": length, "single": single}
        yield {name: token[name] for name in ("end", "last", "payload")} | rest


def expected(memory, rows):
    for row in rows:
        if row["end"]:
            yield "end", row["last"]
        else:
            for k in range(row["start"], row["start"] + row["length"]):
                yield memory[k]["target"], memory[k]["weight"], row["payload"]


@pytest.mark.parametrize("stall", [0, 0.5, 0.9])
@pytest.mark.parametrize("p", [P, SPIKES], ids=["graded", "spikes"])
def test_walker(p, stall):
    memory, rows = synapses(p), list(random_rows(p, 90))
    seen, _ = walk(p, memory, rows, stall)
    got = [
        ("end", out.last) if out.end else (out.synapse.target, out.synapse.weight, out.payload)
        for _, out in seen
    ]
    assert got == list(expected(memory, rows))


def test_walker_latency_and_throughput():
    """One synapse per cycle, no gap between rows; an end takes one cycle."""
    memory, rows = synapses(P), list(random_rows(P, 90))
    seen, sent = walk(P, memory, rows)
    cycles = [cycle for cycle, _ in seen]
    assert cycles == list(range(3, 3 + len(cycles)))
    lengths = [1 if row["end"] else row["length"] for row in rows]
    assert sent == [sum(lengths[:k]) for k in range(len(rows))]
