# amaranth: UnusedElaboratable=no
"""The machine over its serial line, as a host on the other end sees it."""

import pytest

from tests.bench import simulate
from tests.networks import random_events, random_image
from triodia_boards.serial import bytes_of_word
from triodia_boards.serial_core import SerialCore
from triodia_hw.layout import (
    INPUT_KINDS,
    OUTPUT_KINDS,
    input_fields,
    output_fields,
    pack,
    unpack,
    width_of,
)
from triodia_hw.memory import contents
from triodia_hw.reference import Reference

DIVISOR = 4


def wire_of(p, events, last):
    """Bits of a step on the line: words to bytes of 7 bits, bytes to frames of 10 bits."""
    fields = input_fields(p)
    words = [
        {"kind": INPUT_KINDS["event"], "last": 0, "source": channel, "payload": payload}
        for channel, payload in events
    ]
    words.append({"kind": INPUT_KINDS["end"], "last": int(last), "source": 0, "payload": 0})
    bits = []
    for word in (pack(fields, values) for values in words):
        for k in range(bytes_of_word(width_of(fields))):
            byte = (word >> 7 * k) & 127 | (k == 0) << 7
            bits += [0, *((byte >> b) & 1 for b in range(8)), 1]
    return bits


class Host:
    """Sends a step when the end of the last one has come back; keeps the words of each step."""

    def __init__(self, dut, steps):
        self.dut, self.p, self.steps = dut, dut.p, steps
        self.got, self.waited = [[]], False

    async def send(self, ctx):
        for t, (events, last) in enumerate(self.steps):
            for bit in wire_of(self.p, events, last):
                ctx.set(self.dut.rx, bit)
                await ctx.tick().repeat(DIVISOR)
            while len(self.got) <= t + 1:
                await ctx.tick()

    async def byte(self, ctx):
        while ctx.get(self.dut.tx):
            await ctx.tick()
            self.waited |= bool(ctx.get(self.dut.waiting))
        await ctx.tick().repeat(DIVISOR // 2)
        bits = []
        for _ in range(9):
            await ctx.tick().repeat(DIVISOR)
            bits.append(ctx.get(self.dut.tx))
        assert bits[8] == 1  # stop bit
        return sum(bit << k for k, bit in enumerate(bits[:8]))

    async def receive(self, ctx):
        fields = output_fields(self.p)
        while len(self.got) <= len(self.steps):
            word = 0
            for k in range(bytes_of_word(width_of(fields))):
                byte = await self.byte(ctx)
                assert byte >> 7 == (k == 0)
                word |= (byte & 127) << 7 * k
            values = unpack(fields, word)
            self.got[-1].append(values)
            if values["kind"] == OUTPUT_KINDS["end"]:
                self.got.append([])

    def run(self):
        """Words of each step, in the order they came."""
        simulate(self.dut, self.send, self.receive)
        assert self.got.pop() == []
        return self.got


@pytest.mark.parametrize("case", [{"lanes": 1}, {"lanes": 2, "payload_bits": 1, "synaptic": True}])
def test_equals_reference(case):
    image = random_image(1, **case)
    p, reference, source = image.params, Reference(image), image.source_of_neuron()
    steps = [(events, t % 5 == 4) for t, events in enumerate(random_events(image, 10, 2))]
    host = Host(SerialCore(p, contents(image), divisor=DIVISOR), steps)
    spikes = 0
    for (events, last), words in zip(steps, host.run(), strict=True):
        want = reference.step(events, last=last)
        ends = {"kind": OUTPUT_KINDS["end"], "last": int(last), "value": 0}
        assert words.pop().items() >= ends.items()
        got = {kind: {} for kind in OUTPUT_KINDS.values()}
        for word in words:
            assert word["source"] not in got[word["kind"]]
            got[word["kind"]][word["source"]] = word["value"]
        assert got[OUTPUT_KINDS["spike"]] == {int(source[i]): 0 for i in want.spikes}
        readouts = zip(source[image.readouts].tolist(), want.readouts.tolist(), strict=True)
        assert got[OUTPUT_KINDS["readout"]] == dict(readouts)
        assert got[OUTPUT_KINDS["end"]] == {}
        spikes += len(want.spikes)
    assert spikes > 10
    assert host.waited  # words come faster than the line takes them


def test_divisor():
    image = random_image(1, lanes=1)
    with pytest.raises(ValueError, match=r"^divisor must be at least 4, not 3$"):
        SerialCore(image.params, contents(image), divisor=3)
