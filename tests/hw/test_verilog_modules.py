"""Verilog of units, module by module."""

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from triodia_hw.export.modules import VerilogUnits
from triodia_hw.gateware.ram import Ram


class _Part(Ram):
    """A unit with a memory of Amaranth's own inside."""

    def _column(self, m, name, offset, width, init):
        m.submodules[name] = mem = memory.Memory(shape=width, depth=self.depth, init=init)
        read, write = mem.read_port(), mem.write_port()
        m.d.comb += [read.addr.eq(self.r_addr), Value.cast(self.r_data).eq(read.data)]
        m.d.comb += [write.en.eq(self.w_en), write.addr.eq(self.w_addr)]
        m.d.comb += write.data.eq(Value.cast(self.w_data))


class _Whole(wiring.Component):
    """Two such units."""

    address: In(3)
    word: In(5)
    out: Out(5)

    def __init__(self, units):
        self.units = units
        super().__init__()

    def elaborate(self, platform):
        m, found = Module(), []
        for name in ("one", "two"):
            part = self.units.add(m, name, _Part(unsigned(5), depth=8, name=name))
            m.d.comb += [part.r_addr.eq(self.address), part.w_addr.eq(self.address)]
            m.d.comb += [part.w_en.eq(1), part.w_data.eq(self.word)]
            found.append(part.r_data)
        m.d.comb += self.out.eq(found[0] ^ found[1])
        return m


def test_a_memory_inside_a_unit_keeps_its_name():
    """RTLIL names a memory in strings too, with its backslash escaped; Yosys aborted on half of it.

    That is how `compare` once ended in an assertion of Yosys, by a unit that no longer exists.
    """
    units = VerilogUnits("x")
    top, *parts = units.convert(_Whole(units))
    assert {top.name, *(part.name for part in parts)} == {"x", "x_one_memory", "x_two_memory"}
    for part in parts:
        assert "reg [4:0] mem [7:0];" in part.text and "\\" not in part.text
