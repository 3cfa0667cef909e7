"""The machine as an AXI4-Lite slave with an interrupt."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..machine.params import MachineParams
from ..machine.words import COUNTERS, input_fields, output_fields, width_of
from .core import Core
from .units import Units
from .wishbone import parts
from .wrappers import hold_reset

__all__ = ["REGISTERS", "AxiLiteTop"]

# Byte addresses of the registers, 32 bits each; INPUT and OUTPUT are four registers.
REGISTERS = {
    "STATUS": 0x00,
    "CONTROL": 0x04,
    "SHAPE": 0x08,
    "IRQ_ENABLE": 0x0C,
    "IRQ_PENDING": 0x10,
    "INPUT": 0x20,
    "OUTPUT": 0x30,
    **{name.upper(): 0x40 + 4 * k for k, name in enumerate(COUNTERS)},
}
_AT = {name: address // 4 for name, address in REGISTERS.items()}
_ADDRESS_BITS = 7
_OKAY, _SLVERR = 0, 2


class AxiLiteTop(wiring.Component):
    """:class:`Core` as an AXI4-Lite slave (Arm IHI 0022) of 32 bits, with an interrupt.

    Registers, by byte address:

    - 0x00 status, read. Bit 0: there is room for an input word; bit 1: an output word is there.
    - 0x04 control, write. Bit 0 resets the machine; both status bits stay 0 until that is done.
    - 0x08 shape, read. Registers of an input word in bits 0 to 7, of an output word in 8 to 15.
    - 0x0c interrupt enable, read and write. Bits as in the status.
    - 0x10 interrupt pending, read. Status bits that are enabled; ``irq`` is high while any is 1.
    - 0x20 to 0x2c input word, write, lowest bits in 0x20. Writing 0x20 sends it, with what was
      written to the others before.
    - 0x30 to 0x3c output word, read, lowest bits in 0x30. Reading 0x30 takes it off the stream,
      and the others show the rest of the word that was taken last.
    - 0x40 to 0x50 counters, read, in the order of ``COUNTERS``.

    The response is SLVERR for a word without room, a read without a word, an address or direction
    that is not listed, and a write without all of ``wstrb``: then nothing was done, and data is 0.

    Members
    -------
    aclk, aresetn : In(1). ``aresetn`` is low for at least a cycle, and may come at any time.
    s_axi_* : the slave; ``awprot`` and ``arprot`` do not count.
    irq : Out(1). Level: high while an enabled status bit is 1.
    """

    def __init__(
        self,
        p: MachineParams,
        *,
        contents: list[dict[str, list[int]]],
        units: Units | None = None,
    ) -> None:
        self.p, self.contents, self.units = p, contents, units or Units()
        self.i_parts = parts(width_of(input_fields(p)))
        self.o_parts = parts(width_of(output_fields(p)))
        channels = {
            "aw": {"addr": In(_ADDRESS_BITS), "prot": In(3), "valid": In(1), "ready": Out(1)},
            "w": {"data": In(32), "strb": In(4), "valid": In(1), "ready": Out(1)},
            "b": {"resp": Out(2), "valid": Out(1), "ready": In(1)},
            "ar": {"addr": In(_ADDRESS_BITS), "prot": In(3), "valid": In(1), "ready": Out(1)},
            "r": {"data": Out(32), "resp": Out(2), "valid": Out(1), "ready": In(1)},
        }
        ports = {f"s_axi_{c}{n}": way for c, names in channels.items() for n, way in names.items()}
        super().__init__({"aclk": In(1), "aresetn": In(1), **ports, "irq": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        machine = Core(self.p, contents=self.contents, units=self.units)
        core = self.units.add(m, "core", machine)
        again, enabled, status = Signal(), Signal(2), Signal(2)
        held = hold_reset(m, core, ~self.aresetn | again)
        m.d.comb += [
            clock.clk.eq(self.aclk),
            status.eq(Cat(core.i.ready, core.o.valid) & (~held).replicate(2)),
            self.irq.eq((status & enabled).any()),
        ]
        self._write(m, core, status[0], again, enabled)
        self._read(m, core, status, held, enabled)
        with m.If(~self.aresetn):
            m.d.sync += [enabled.eq(0), self.s_axi_bvalid.eq(0), self.s_axi_rvalid.eq(0)]
        return m

    def _write(self, m: Module, core: Core, room: Value, again: Signal, enabled: Signal) -> None:
        """Take address and data, in any order, then do what they say and answer."""
        address, data, strobes = Signal(_ADDRESS_BITS - 2), Signal(32), Signal(4)
        has_address, has_data, go, good = (
            Signal(name=n) for n in "has_address has_data go good_write".split()
        )
        ready = ~self.s_axi_bvalid & self.aresetn
        m.d.comb += [
            self.s_axi_awready.eq(~has_address),
            self.s_axi_wready.eq(~has_data),
            go.eq(has_address & has_data & ready),
        ]
        with m.If(self.s_axi_awvalid & ~has_address):
            m.d.sync += [has_address.eq(1), address.eq(self.s_axi_awaddr[2:])]
        with m.If(self.s_axi_wvalid & ~has_data):
            m.d.sync += [has_data.eq(1), data.eq(self.s_axi_wdata), strobes.eq(self.s_axi_wstrb)]
        with m.If(go):
            m.d.sync += self.s_axi_bresp.eq(Mux(good & strobes.all(), _OKAY, _SLVERR))
        with m.If(go | ~self.aresetn):
            m.d.sync += [has_address.eq(0), has_data.eq(0)]
        m.d.sync += self.s_axi_bvalid.eq(go | (self.s_axi_bvalid & ~self.s_axi_bready))
        writes = go & strobes.all()
        m.d.sync += again.eq(writes & (address == _AT["CONTROL"]) & data[0])
        self._store(m, core, address, data, writes, enabled)
        self._can_write(m, address, room, good)

    def _store(
        self, m: Module, core: Core, address: Value, data: Value, writes: Value, enabled: Signal
    ) -> None:
        """Registers that a write changes, and the input word that it sends."""
        rest = [Signal(32, name=f"input_{k}") for k in range(1, self.i_parts)]
        m.d.comb += [
            Value.cast(core.i.payload).eq(Cat(data, *rest)),
            core.i.valid.eq(writes & (address == _AT["INPUT"]) & core.i.ready & ~core.reset),
        ]
        with m.If(writes & (address == _AT["IRQ_ENABLE"])):
            m.d.sync += enabled.eq(data)
        for k, part in enumerate(rest, start=1):
            with m.If(writes & (address == _AT["INPUT"] + k)):
                m.d.sync += part.eq(data)

    def _can_write(self, m: Module, address: Value, room: Value, good: Signal) -> None:
        """Whether a write to an address does something."""
        free = [_AT["CONTROL"], _AT["IRQ_ENABLE"]]
        free += [_AT["INPUT"] + k for k in range(1, self.i_parts)]
        with m.Switch(address):
            with m.Case(*free):
                m.d.comb += good.eq(1)
            with m.Case(_AT["INPUT"]):
                m.d.comb += good.eq(room)

    def _read(self, m: Module, core: Core, status: Value, held: Value, enabled: Value) -> None:
        """Take an address and answer in the next cycle."""
        taken, good, word = Signal(), Signal(name="good_read"), Value.cast(core.o.payload)
        at = self.s_axi_araddr[2:]
        rest = Signal(max(1, len(word) - 32), name="output")
        m.d.comb += [
            self.s_axi_arready.eq(~self.s_axi_rvalid),
            taken.eq(self.s_axi_arvalid & ~self.s_axi_rvalid & self.aresetn),
            core.o.ready.eq(held | (taken & (at == _AT["OUTPUT"]))),
        ]
        m.d.sync += self.s_axi_rvalid.eq(taken | (self.s_axi_rvalid & ~self.s_axi_rready))
        with m.If(taken):
            m.d.sync += [self.s_axi_rresp.eq(Mux(good, _OKAY, _SLVERR)), self.s_axi_rdata.eq(0)]
            with m.If((at == _AT["OUTPUT"]) & status[1]):
                m.d.sync += rest.eq(word[32:])
        values = {
            _AT["OUTPUT"]: word[:32],
            **{_AT["OUTPUT"] + k: rest.word_select(k - 1, 32) for k in range(1, self.o_parts)},
        }
        with m.Switch(at):
            for address, value in (values | self._values(core, status, enabled)).items():
                with m.Case(address):
                    there = status[1] if address == _AT["OUTPUT"] else 1
                    m.d.comb += good.eq(there)
                    with m.If(taken & there):
                        m.d.sync += self.s_axi_rdata.eq(value)

    def _values(self, core: Core, status: Value, enabled: Value) -> dict[int, Value]:
        """What registers besides those of the output word show, by address in words."""
        return {
            _AT["STATUS"]: status,
            _AT["SHAPE"]: C(self.i_parts | self.o_parts << 8, 32),
            _AT["IRQ_ENABLE"]: enabled,
            _AT["IRQ_PENDING"]: status & enabled,
            **{_AT[name.upper()]: getattr(core, name) for name in COUNTERS},
        }
