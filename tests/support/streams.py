"""Run whole lists through a stream component and record the cycle of every transfer."""

import random
from dataclasses import dataclass, field

from amaranth.hdl import Value

from tests.support.bench import simulate

__all__ = ["STALLS", "Log", "run_streams", "through"]

STALLS = [(0, 0), (0.6, 0), (0, 0.6), (0.4, 0.4)]


@dataclass
class Log:
    """Cycles in which words were offered and taken, one list per input, and all output."""

    offered: list = field(default_factory=list)
    sent: list = field(default_factory=list)
    got: list = field(default_factory=list)  # (cycle, word)

    @property
    def words(self):
        return [word for _, word in self.got]

    @property
    def cycles(self):
        return [cycle for cycle, _ in self.got]


def run_streams(dut, inputs, output, *, expect, stall=(0, 0), extra=30):
    """Send ``[(stream, words)]``, take ``expect`` words and whatever comes in ``extra`` cycles.

    Words are the bits of a payload. Withdrawing or changing an offered word is an error.
    """
    log, chance = Log([[] for _ in inputs], [[] for _ in inputs]), random.Random(1)

    async def run(ctx):
        cycle, left, held = 0, extra, None
        while left:
            for k, (stream, words) in enumerate(inputs):
                at = len(log.sent[k])
                if at < len(words) and len(log.offered[k]) == at and chance.random() >= stall[0]:
                    log.offered[k].append(cycle)
                    ctx.set(Value.cast(stream.payload), words[at])
                ctx.set(stream.valid, len(log.offered[k]) > len(log.sent[k]))
            take = chance.random() >= stall[1]
            ctx.set(output.ready, take)
            ready = [stream.ready for stream, _ in inputs]
            _, _, valid, word, *ready = await ctx.tick().sample(
                output.valid, Value.cast(output.payload), *ready
            )
            assert held is None or (valid and word == held), f"word withdrawn in cycle {cycle}"
            held = word if valid and not take else None
            if valid and take:
                log.got.append((cycle, word))
            for k, taken in enumerate(ready):
                if taken and len(log.offered[k]) > len(log.sent[k]):
                    log.sent[k].append(cycle)
            all_sent = all(
                len(sent) == len(words) for sent, (_, words) in zip(log.sent, inputs, strict=True)
            )
            left -= len(log.got) >= expect and all_sent
            cycle += 1

    simulate(dut, run, timeout=20_000)
    return log


def through(dut, words, *, expect=None, stall=(0, 0), extra=30):
    """Send ``words`` to ``dut.i``, take from ``dut.o``; as many as were sent unless told."""
    expect = len(words) if expect is None else expect
    return run_streams(dut, [(dut.i, words)], dut.o, expect=expect, stall=stall, extra=extra)
