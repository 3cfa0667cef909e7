"""A flattened module as Yosys' JSON has it, cut at its memories, and what is added to it."""

import re

__all__ = ["Netlist"]

# Memories, and where the word that was read comes out.
_RAMS = {"triodia_ram": "r_data", "triodia_queue_ram": "r_data", "$mem_v2": "RD_DATA"}
_ENABLE = {"w_addr": "w_en", "w_data": "w_en", "r_addr": "r_en"}  # without it a port has no effect
# An output that counts only while another one is high, besides payloads of streams.
_VALID = {
    **dict.fromkeys(("o_kind", "o_last", "o_source", "o_value"), "o_valid"),
    **dict.fromkeys(("m_axis_tdata", "m_axis_tkeep", "m_axis_tlast"), "m_axis_tvalid"),
    **dict.fromkeys(("s_axi_rdata", "s_axi_rresp"), "s_axi_rvalid"),
    "s_axi_bresp": "s_axi_bvalid",
    "wb_dat_o": "wb_ack",
}


class Netlist:
    """A flattened module as Yosys' JSON has it, and new cells."""

    def __init__(self, module):
        self.module, self.cells = module, module["cells"]
        bits = (b for c in self.cells.values() for bits in c["connections"].values() for b in bits)
        named = (b for net in module["netnames"].values() for b in net["bits"])
        self.free = 1 + max(b for b in (*bits, *named) if isinstance(b, int))
        self.rams = {c: self.cells.pop(c) for c in list(self.cells) if self._is(c, _RAMS)}
        self.known, self.unknown = set(), {}  # bits of memories that are modelled; new inputs

    def _is(self, cell, kinds):
        return self.cells[cell]["type"] in kinds

    def new(self, count):
        self.free += count
        return list(range(self.free - count, self.free))

    def add(self, name, kind, inputs, output, count):
        """Add a cell; returns the bits of its output."""
        out = self.new(count)
        widths = {f"{port}_WIDTH": len(bits) for port, bits in inputs.items()} | {"Y_WIDTH": count}
        if kind == "$mux":
            widths = {"WIDTH": count}
        signs = {} if kind == "$mux" else {f"{port}_SIGNED": 0 for port in inputs}
        parameters = {k: f"{v:032b}" for k, v in (widths | signs).items() if output == "Y"}
        self.cells[name] = {
            "type": kind,
            "parameters": parameters,
            "attributes": {},
            "port_directions": dict.fromkeys(inputs, "input") | {output: "output"},
            "connections": inputs | {output: out},
        }
        return out

    def ends(self):
        """Bits that must be equal: (name, bits, bits without which they do not count)."""
        ports = self.module["ports"]
        for name, port in ports.items():
            if port["direction"] == "output":
                valid = _VALID.get(name, re.sub("__payload$", "__valid", name))
                yield name, port["bits"], ports[valid]["bits"] if valid != name else None
        for name, ram in self.rams.items():
            wires = ram["connections"]
            for port, bits in wires.items():
                if port != _RAMS[ram["type"]] and not port.lower().endswith("clk"):
                    yield f"{name}.{port}", bits, wires.get(_ENABLE.get(port))

    def starts(self):
        """Bits that come from outside: inputs and what memories hold."""
        for name, port in self.module["ports"].items():
            if port["direction"] == "input":
                yield name, port["bits"]
        for name, ram in self.rams.items():
            yield f"{name}.word", ram["connections"][_RAMS[ram["type"]]]

    def registers(self):
        return {c: what["connections"] for c, what in self.cells.items() if what["type"] == "$dff"}

    def gated(self, name, bits, enable):
        if enable is None:
            return bits
        zeros = ["0"] * len(bits)
        ports = {"A": zeros, "B": bits, "S": enable}
        return self.add(f"gate:{name}", "$mux", ports, "Y", len(bits))

    def wire(self, name):
        """Bits of a wire, or of one bit of it: NAME.INDEX."""
        names = self.module["netnames"]
        if name in names:
            return names[name]["bits"]
        name, _, index = name.rpartition(".")
        return [names[name]["bits"][int(index)]]

    def place(self, name, kind, ports, outputs):
        """Add a module of ``invariants.v``; ``ports``: names of wires, or bits; its outputs' bits.

        ``outputs``: width of each.
        """
        inputs = {
            port: [b for n in w for b in self.wire(n)] if isinstance(w[0], str) else w
            for port, w in ports.items()
        }
        bits = {port: self.new(width) for port, width in outputs.items()}
        self.cells[name] = {
            "type": kind,
            "parameters": {},
            "attributes": {},
            "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(bits, "output"),
            "connections": inputs | bits,
        }
        return bits

    def model(self, name, bit):
        """Model a bit of the words of a queue's memory: bits of what it holds, by place."""
        ram = self.rams[f"{name}.storage"]["connections"]
        wires = {port: ram[port] for port in ("clk", "w_en", "w_addr", "r_en", "r_addr")}
        any_ = self.unknown[f"{name}.any.{bit}"] = self.new(16)
        self.known.add(ram["r_data"][bit])
        cell = f"bit:{name}.{bit}"
        held = self.place(
            cell, "queue_bit", wires | {"w_data": [ram["w_data"][bit]], "any": any_}, {"held": 16}
        )["held"]
        self.cells[cell]["port_directions"]["r_data"] = "output"
        self.cells[cell]["connections"]["r_data"] = [ram["r_data"][bit]]
        return held

    def fed(self, cell):
        """Registers whose next value a cell or memory takes part in; of a register also itself."""
        readers, cells = {}, self.cells | self.rams
        for name, what in self.cells.items():
            ways = what["port_directions"]
            for port, bits in what["connections"].items():
                for b in bits if ways[port] == "input" else ():
                    readers.setdefault(b, set()).add(name)
        registers, found, seen = self.registers(), set(), {cell}
        found |= seen & registers.keys()
        todo = [cell]
        while todo:
            what = cells[todo.pop()]
            for port, bits in what["connections"].items():
                for b in bits if what["port_directions"][port] == "output" else ():
                    new = readers.get(b, set()) - seen
                    seen |= new
                    found |= new & registers.keys()
                    todo += new - registers.keys()
        return found

    def finish(self, wrong):
        """One output: whether something is wrong. Memories become inputs."""
        starts = {
            name: [b for b in bits if b not in self.known]
            for name, bits in (*self.starts(), *self.unknown.items())
        }
        ports = {name: {"direction": "input", "bits": bits} for name, bits in starts.items()}
        self.module["ports"] = ports | {"wrong": {"direction": "output", "bits": wrong}}
        return self.module
