"""Drive a simulated machine as a host does: steps, reads, loading, reset."""

import numpy as np

from tests.support.bench import get, put
from triodia_hw.compile.contents import contents
from triodia_hw.compile.loading import load_words
from triodia_hw.compile.options import Options
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.units import Units
from triodia_hw.machine.neuron import State
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.words import COUNTERS, INPUT_KINDS, OUTPUT_KINDS, READ_KINDS, readable

__all__ = ["Host"]


class Host:
    """Core with the contents of ``image``, and the reference beside it."""

    def __init__(self, image, *, stall=(0, 0), **options):
        options = Options(poison=True, **options)
        self.dut = Core(image.params, contents=contents(image), units=Units(options))
        self.stall = stall
        self.counted = {"events": 0, "operations": 0}  # of the steps that have ended
        self.fresh(image)

    def fresh(self, image):
        """Expect what ``image`` does after reset."""
        self.image, self.reference = image, Reference(image)
        self.state = State.zero(image.params.neurons)

    async def send(self, ctx, kind, **fields):
        await put(ctx, self.dut.i, {"kind": INPUT_KINDS[kind], **fields}, self.stall[0])

    async def until_end(self, ctx):
        """Output words before the next end, and the end."""
        words = []
        while (word := await get(ctx, self.dut.o, self.stall[1])).kind != OUTPUT_KINDS["end"]:
            words.append(word)
        return words, word

    async def events(self, ctx, events):
        for channel, payload in events:
            await self.send(ctx, "event", source=channel, payload=payload)

    async def step(self, ctx, events, last=False, sent=False):
        """Run a step, compare it, return its spike count; ``sent``: events were sent before."""
        if not sent:
            await self.events(ctx, events)
        await self.send(ctx, "end", last=last)
        words, end = await self.until_end(ctx)
        want, source = self.reference.step(events, last=last), self.image.source_of_neuron()
        readouts = zip(source[self.image.readouts], want.readouts, strict=True)
        expected = [(OUTPUT_KINDS["spike"], s, 0) for s in source[want.spikes]]
        expected += [(OUTPUT_KINDS["readout"], s, v) for s, v in readouts]
        assert sorted((w.kind, w.source, w.value) for w in words) == sorted(expected)
        assert (end.last, end.value) == (last, 0)
        assert not any(word.last for word in words)
        self.state = State.zero(self.image.params.neurons) if last else want.state
        self.counted["events"] += want.events
        self.counted["operations"] += want.sops
        return len(want.spikes)

    async def read(self, ctx, what):
        """Words of a read by source number, in the order they came."""
        await self.send(ctx, "read", source=READ_KINDS[what])
        words, end = await self.until_end(ctx)
        assert {word.kind for word in words} == {OUTPUT_KINDS["readout"]}
        assert (end.last, end.value) == (0, 0)
        values = {word.source: word.value for word in words}
        assert len(values) == len(words)
        return values

    async def compare_state(self, ctx):
        """Read back the state of every slot; empty slots are 0."""
        p, slots = self.image.params, self.image.slot
        for what in readable(p):
            want = dict.fromkeys(range(p.inputs, p.sources), 0)
            values = zip(slots.tolist(), getattr(self.state, what).tolist(), strict=True)
            want |= {p.inputs + slot: value for slot, value in values}
            assert await self.read(ctx, what) == want, what

    async def counters(self, ctx):
        """The counters as a read gives them."""
        await self.send(ctx, "read", source=READ_KINDS["counters"])
        words = [await get(ctx, self.dut.o, self.stall[1]) for _ in range(2 * len(COUNTERS))]
        assert {word.kind for word in words} == {OUTPUT_KINDS["count"]}
        assert [word.source for word in words] == list(range(len(words)))
        halves = [word.value & 0xFFFF for word in words]
        pairs = zip(halves[::2], halves[1::2], strict=True)
        return dict(zip(COUNTERS, (low + (high << 16) for low, high in pairs), strict=True))

    def counts(self):
        """Events and operations, with the spikes that are delivered before the next step ends."""
        rows, spikes = np.diff(self.image.row_start), self.reference.spikes
        return {
            "events": self.counted["events"] + spikes.size,
            "operations": self.counted["operations"]
            + rows[self.image.params.inputs + spikes].sum(),
        }

    def ports(self, ctx):
        return {name: ctx.get(getattr(self.dut, name)) for name in COUNTERS}

    async def load(self, ctx, image):
        """Load ``image``; the machine is then as after reset, and words in flight are lost."""
        ctx.set(self.dut.o.ready, 1)
        for word in load_words(image):
            await put(ctx, self.dut.i, word, self.stall[0])
        ctx.set(self.dut.o.ready, 0)
        self.fresh(image)

    async def reset(self, ctx):
        """Reset for one cycle; words in flight are gone within 6 cycles."""
        ctx.set(self.dut.reset, 1)
        await ctx.tick()
        ctx.set(self.dut.reset, 0)
        await ctx.tick().repeat(6)
        self.counted = dict.fromkeys(self.counted, 0)
        self.fresh(self.image)
