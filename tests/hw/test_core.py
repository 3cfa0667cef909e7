# amaranth: UnusedElaboratable=no
import pytest

from tests.support.bench import get, put, simulate
from tests.support.networks import random_events, random_image
from triodia_hw.compile.contents import contents
from triodia_hw.compile.options import Options
from triodia_hw.gateware.core import Core
from triodia_hw.gateware.units import Units
from triodia_hw.machine.reference import Reference
from triodia_hw.machine.words import INPUT_KINDS, OUTPUT_KINDS

CASES = [
    {"lanes": 1},
    {"lanes": 4, "neurons": 13, "refractory_bits": 3, "reset": "value"},
    {"lanes": 3, "synaptic": True, "bias_bits": 8, "payload_bits": 1},
    {"lanes": 5, "neurons": 33, "synaptic": True, "state_bits": 12, "full_scale": True},
    {"lanes": 3, "neurons": 20, "adaptive": True, "synaptic": True, "refractory_bits": 2},
    {"lanes": 3, "neurons": 20, "delays": (1, 3)},
    {"lanes": 2, "payload_bits": 1, "delays": (2, 5, 9), "density": 0.2},
]


@pytest.mark.parametrize("stall", [(0, 0), (0.6, 0), (0, 0.6)])
@pytest.mark.parametrize("case", CASES)
def test_equals_reference(case, stall):
    image = random_image(1, **case)
    reference, steps = Reference(image), random_events(image, 21, 2)
    dut = Core(image.params, contents=contents(image), units=Units(Options(poison=True)))
    source = image.source_of_neuron()

    async def feed(ctx):
        for t, events in enumerate(steps):
            for channel, payload in events:
                word = {"kind": INPUT_KINDS["event"], "source": channel, "payload": payload}
                await put(ctx, dut.i, word, stall[0])
            await put(ctx, dut.i, {"kind": INPUT_KINDS["end"], "last": t % 7 == 6}, stall[0])

    async def check(ctx):
        spikes = operations = 0
        for t, events in enumerate(steps):
            want = reference.step(events, last=t % 7 == 6)
            got = {"spike": [], "readout": {}}
            while (word := await get(ctx, dut.o, stall[1])).kind != OUTPUT_KINDS["end"]:
                if word.kind == OUTPUT_KINDS["spike"]:
                    got["spike"].append(word.source)
                else:
                    got["readout"][word.source] = word.value
            assert sorted(got["spike"]) == sorted(source[want.spikes].tolist()), t
            readouts = zip(source[image.readouts].tolist(), want.readouts.tolist(), strict=True)
            assert got["readout"] == dict(readouts), t
            assert word.last == (t % 7 == 6)
            spikes += len(want.spikes)
            operations += want.sops
        assert spikes > 20
        await ctx.tick().repeat(4)
        assert ctx.get(dut.operations) == operations

    simulate(dut, feed, check)
