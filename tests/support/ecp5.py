"""Hand-made netlists of ECP5 cells, in the format of Yosys' JSON."""

from itertools import count

__all__ = ["Netlist"]

FF = {
    "CEMUX": "1 ",
    "CLKMUX": "CLK",
    "GSR": "DISABLED",
    "LSRMUX": "LSR",
    "REGSET": "RESET",
}
BLOCK = {"CLKAMUX": "CLKA", "CLKBMUX": "CLKB", "CSDECODE_A": "0b000", "CSDECODE_B": "0b000"}


class Netlist:
    """Build a netlist cell by cell; nets are numbers. ``design`` is its JSON as from Yosys."""

    def __init__(self):
        self.nets = count(2)
        self.module = {"ports": {}, "cells": {}, "netnames": {}}
        self.design = {"modules": {"dut": self.module}}
        self.clock = self.input("clk")

    def net(self):
        return next(self.nets)

    def input(self, name):
        net = self.net()
        self.module["ports"][name] = {"direction": "input", "bits": [net]}
        return net

    def output(self, name, *bits):
        self.module["ports"][name] = {"direction": "output", "bits": list(bits)}

    def keep_net(self, net):
        self.module["netnames"]["mine"] = {"bits": [net], "attributes": {"keep": "0001"}}

    def cell(self, name, kind, inputs, outputs, parameters):
        ports = {port: [bit] for port, bit in (inputs | outputs).items()}
        self.module["cells"][name] = {
            "type": kind,
            "parameters": dict(parameters),
            "attributes": {},
            "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
            "connections": ports,
        }
        return self.module["cells"][name]

    def ff(self, name, d, *, clock=None, **parameters):
        """A flip-flop without enable and reset; returns its output."""
        q = self.net()
        inputs = {"CLK": self.clock if clock is None else clock, "DI": d, "LSR": "0"}
        self.cell(name, "TRELLIS_FF", inputs, {"Q": q}, FF | parameters)
        return q

    def lut(self, name, *bits, init):
        """A look-up table; ``init`` is its output by input, the first one lowest."""
        z = self.net()
        pins = dict(zip("ABCD", (*bits, "0", "0", "0")[:4], strict=True))
        self.cell(name, "LUT4", pins, {"Z": z}, {"INIT": f"{init:016b}"})
        return z

    def mux(self, name, kind, zero, one, select):
        """A PFUMX or L6MUX21; returns its output."""
        z = self.net()
        pins = {"BLUT": zero, "ALUT": one, "C0": select}
        if kind == "L6MUX21":
            pins = {"D0": zero, "D1": one, "SD": select}
        self.cell(name, kind, pins, {"Z": z}, {})
        return z

    def block(self, name, *outputs, width=18, **inputs):
        """A block RAM that nothing writes; ``outputs`` are the ports used. Returns their nets."""
        pins = {"CLKA": self.clock, "CLKB": self.clock, "OCEA": "0", "OCEB": "1"}
        for side in "AB":
            pins |= {f"CE{side}": "1", f"RST{side}": "0"}
            pins |= {f"CS{side}{k}": "0" for k in range(3)}
        nets = {port: self.net() for port in outputs}
        widths = {f"DATA_WIDTH_{side}": f"{width:032b}" for side in "AB"}
        modes = {"REGMODE_A": "NOREG", "REGMODE_B": "NOREG"}
        self.cell(name, "DP16KD", pins | inputs, nets, BLOCK | widths | modes)
        return list(nets.values())

    def multiplier(self, name, a, b, *, outputs=1):
        """A signed multiplier of the bits ``a`` and ``b``, sign-extended; returns product nets."""
        pins = {"SIGNEDA": "1", "SIGNEDB": "1", "SOURCEA": "0", "SOURCEB": "0"}
        for letter, bits in (("A", a), ("B", b)):
            pins |= {f"{letter}{k}": bits[min(k, len(bits) - 1)] for k in range(18)}
        nets = {f"P{k}": self.net() for k in range(outputs)}
        self.cell(name, "MULT18X18D", pins, nets, {})
        return list(nets.values())
