"""Products by a multiplier or by adders are equal, two cycles later."""

import random

import pytest
from amaranth import *

from tests.support.bench import simulate
from triodia_hw.gateware.multiply import multiply


class Product(Elaboratable):
    def __init__(self, a, b, parts):
        self.a, self.b, self.parts = Signal(a), Signal(b), parts
        self.product = Signal(64)

    def elaborate(self, platform):
        m = Module()
        product = multiply(m, self.a, self.b, parts=self.parts, name="x")
        self.product = Signal(product.shape())
        m.d.comb += self.product.eq(product)
        return m


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 5, 20])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (signed(16), unsigned(11)),
        (signed(8), signed(8)),
        (signed(3), signed(2)),
        (unsigned(4), signed(7)),
        (signed(5), unsigned(1)),
    ],
    ids=str,
)
def test_multiply(a, b, parts):
    """One product per cycle, exact over both ranges, their ends included."""
    dut, chance = Product(a, b, parts), random.Random(0)

    def some(shape):
        low = -(1 << (shape.width - 1)) if shape.signed else 0
        high = low + (1 << shape.width) - 1
        return chance.choice([low, high, chance.randint(low, high)])

    async def run(ctx):
        wanted = []
        for _ in range(200):
            left, right = some(a), some(b)
            ctx.set(dut.a, left)
            ctx.set(dut.b, right)
            wanted.append(left * right)
            await ctx.tick()
            if len(wanted) >= 2:
                assert ctx.get(dut.product) == wanted[-2]

    simulate(dut, run)
