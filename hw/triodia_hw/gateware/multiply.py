"""Products, by a multiplier or as sums of partial products."""

from amaranth import *

__all__ = ["multiply"]


def multiply(m: Module, a: Value, b: Value, *, parts: int, name: str) -> Signal:
    """``a * b`` two cycles later, one product per cycle; exact, signed or unsigned.

    With one part this is a multiplier followed by a register, both of which block multipliers
    contain. Otherwise ``b`` is cut into ``parts``: in the first cycle adders form one product per
    part, in the second these are summed. Registers have no reset.
    """
    shape = (a * b).shape()
    product = Signal(shape, name=f"{name}_product", reset_less=True)
    width = -(-len(b) // parts)
    terms = []
    for low in range(0, len(b), width):
        part = b[low : low + width]
        if b.shape().signed and low + width >= len(b):
            part = part.as_signed()
        term = Signal((a * part).shape(), name=f"{name}_part_{low}", reset_less=True)
        m.d.sync += term.eq(a * part)
        terms.append(term << low)
    m.d.sync += product.eq(sum(terms[1:], terms[0]))
    return product
