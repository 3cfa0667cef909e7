"""Deliberate faults of the bus slaves, and the proof that must find each."""

__all__ = ["BUS_FAULTS"]

_STREAM, _LITE = "AXI4-Stream wrapper", "AXI4-Lite slave"
_WISHBONE, _CLASSIC = "Wishbone slave, any master", "Wishbone slave, classic"

# name: (file of the gateware, text, faulty text, proof that must fail)
BUS_FAULTS = {
    "stream loses output words": (
        "wrappers.py",
        "core.o.ready.eq(self.m_axis_tready | held)",
        "core.o.ready.eq(1)",
        _STREAM,
    ),
    "stream offers in reset": (
        "wrappers.py",
        "self.m_axis_tvalid.eq(core.o.valid & ~held)",
        "self.m_axis_tvalid.eq(core.o.valid)",
        _STREAM,
    ),
    "stream takes words in reset": (
        "wrappers.py",
        "self.s_axis_tready.eq(core.i.ready & ~held)",
        "self.s_axis_tready.eq(core.i.ready)",
        _STREAM,
    ),
    "stream waits for ready": (
        "wrappers.py",
        "self.m_axis_tvalid.eq(core.o.valid & ~held)",
        "self.m_axis_tvalid.eq(core.o.valid & ~held & self.m_axis_tready)",
        _STREAM,
    ),
    "write response withdrawn": (
        "axi_lite.py",
        "self.s_axi_bvalid.eq(go | (self.s_axi_bvalid & ~self.s_axi_bready))",
        "self.s_axi_bvalid.eq(go)",
        _LITE,
    ),
    "write response before data": (
        "axi_lite.py",
        "go.eq(has_address & has_data & ready)",
        "go.eq(has_address & ready)",
        _LITE,
    ),
    "write overtakes a response": (
        "axi_lite.py",
        "ready = ~self.s_axi_bvalid & self.aresetn",
        "ready = self.aresetn",
        _LITE,
    ),
    "read overtakes a response": (
        "axi_lite.py",
        "taken.eq(self.s_axi_arvalid & ~self.s_axi_rvalid & self.aresetn)",
        "taken.eq(self.s_axi_arvalid & self.aresetn)",
        _LITE,
    ),
    "read response withdrawn": (
        "axi_lite.py",
        "self.s_axi_rvalid.eq(taken | (self.s_axi_rvalid & ~self.s_axi_rready))",
        "self.s_axi_rvalid.eq(taken)",
        _LITE,
    ),
    "responses in reset": (
        "axi_lite.py",
        "self.s_axi_bvalid.eq(0), self.s_axi_rvalid.eq(0)]",
        "]",
        _LITE,
    ),
    "response that AXI4-Lite has not": (
        "axi_lite.py",
        "_OKAY, _SLVERR = 0, 2",
        "_OKAY, _SLVERR = 0, 1",
        _LITE,
    ),
    "word lost without a read": (
        "axi_lite.py",
        'held | (taken & (at == _AT["OUTPUT"]))',
        'held | (at == _AT["OUTPUT"])',
        _LITE,
    ),
    "refused word gets OKAY": (
        "axi_lite.py",
        "m.d.comb += good.eq(room)",
        "m.d.comb += good.eq(1)",
        _LITE,
    ),
    "ack without a cycle": (
        "wishbone.py",
        "self.wb_ack.eq(done & self.wb_cyc)",
        "self.wb_ack.eq(done)",
        _WISHBONE,
    ),
    "ack without a request": (
        "wishbone.py",
        "taken.eq(self.wb_cyc & self.wb_stb & ",
        "taken.eq(self.wb_cyc & ",
        _WISHBONE,
    ),
    "ack after reset": (
        "wishbone.py",
        "& ~self.wb_stall & ~self.rst",
        "& ~self.wb_stall",
        _WISHBONE,
    ),
    "ack and err": ("wishbone.py", "failed.eq(taken & ~good)", "failed.eq(taken)", _WISHBONE),
    "refused word gets ack": (
        "wishbone.py",
        "[good.eq(room), core.i.valid.eq(writes & ~core.reset)]",
        "[good.eq(1), core.i.valid.eq(writes & ~core.reset)]",
        _WISHBONE,
    ),
    "access acknowledged twice": (
        "wishbone.py",
        "& ~self.wb_stall & ~self.rst",
        "& ~self.rst",
        _CLASSIC,
    ),
    "access waits for the machine": (
        "wishbone.py",
        "self.wb_stall.eq(done | failed)",
        "self.wb_stall.eq(done | failed | ~core.i.ready)",
        _CLASSIC,
    ),
    "interrupt without a reason": (
        "axi_lite.py",
        "(status & enabled).any()",
        "enabled.any()",
        _LITE,
    ),
    "pending though not enabled": (
        "axi_lite.py",
        '_AT["IRQ_PENDING"]: status & enabled',
        '_AT["IRQ_PENDING"]: status',
        _LITE,
    ),
    "enabled after reset": ("axi_lite.py", "[enabled.eq(0), ", "[", _LITE),
    "interrupt only for both reasons": (
        "wishbone.py",
        "(status & enabled).any()",
        "(status & enabled).all()",
        _WISHBONE,
    ),
    "enabled without all bytes": (
        "wishbone.py",
        "writes = taken & self.wb_we & self.wb_sel.all()",
        "writes = taken & self.wb_we",
        _WISHBONE,
    ),
    "still enabled after reset": (
        "wishbone.py",
        "m.d.sync += enabled.eq(0)",
        "m.d.sync += enabled.eq(enabled)",
        _WISHBONE,
    ),
}
