"""Whether a mutant of a flattened machine is the machine, by the states that it can reach.

Two ways, both from power-up, for all inputs and for ever. Memories are cut: what they hold is any
word, the same in both machines, and what is done to them must be the same.

- *Unseen*: in no state that the machine reaches does the mutation change an output, the next state
  or what is done to a memory. The property is proven by PDR, with invariants of ``invariants.v``,
  which are proven at the same time.
- *Paired*: machine and mutant side by side put out the same. Registers may differ, such as one
  whose reset is another value but which is written before it is read. Signal correspondence
  (van Eijk 2000) finds and proves which registers are equal, PDR proves the rest.
- *Allowed*: the same, as long as what is loaded keeps to the contract: thresholds are positive.

ABC does both. It is given the exported Verilog with undefined constants as 0.
"""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

from triodia_hw.errors import ToolError
from triodia_hw.export.yosys import run_yosys

__all__ = ["ReachabilityProver"]

_INVARIANTS = Path(__file__).with_name("invariants.v")
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
_TO_AIGER = [
    "hierarchy -top top",
    "proc",
    "flatten",
    "setundef -zero",
    "opt_clean",
    "opt_merge -share_all",
    "opt_expr",
    "opt_merge -share_all",
    "techmap",
    "simplemap",
    "dffunmap",
    "opt_expr",
    "opt_merge -share_all",
    "opt_clean",
    "aigmap",
    "opt_clean",
    "write_aiger -zinit top.aig",
]
_PAIRED = "scorr -F 1; scorr -F 2"


def _invariants(lanes):
    """Instances of modules of ``invariants.v``: the wires of each port, lowest bit first."""
    for lane in range(lanes):
        sweep = f"core.lane_{lane}.sweep"
        stages = ["reading_1.0", "i__valid.0", *(f"update.valid.{k}" for k in range(9))]
        yield (
            "records_fit",
            {"level": [f"{sweep}.records.level"], "stages": [f"{sweep}.{s}" for s in stages]},
        )
    collector = "core.hub.collector"
    ports = {name: [f"{collector}.{name}"] for name in ("go", "grant", "end_", "some")}
    ports |= {"level": ["core.outputs.level"], "valid": [f"{collector}.o__valid"]}
    yield "outputs_fit", ports


class _Netlist:
    """A flattened module as Yosys' JSON has it, and new cells."""

    def __init__(self, module):
        self.module, self.cells = module, module["cells"]
        bits = (b for c in self.cells.values() for bits in c["connections"].values() for b in bits)
        named = (b for net in module["netnames"].values() for b in net["bits"])
        self.free = 1 + max(b for b in (*bits, *named) if isinstance(b, int))
        self.rams = {c: self.cells.pop(c) for c in list(self.cells) if self._is(c, _RAMS)}

    def _is(self, cell, kinds):
        return self.cells[cell]["type"] in kinds

    def new(self, count):
        self.free += count
        return list(range(self.free - count, self.free))

    def add(self, name, kind, inputs, output, count):
        """Add a cell; returns the bits of its output."""
        out = self.new(count)
        # A module of ours has no parameters.
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

    def finish(self, wrong):
        """One output: whether something is wrong. Memories become inputs."""
        ports = {name: {"direction": "input", "bits": bits} for name, bits in self.starts()}
        self.module["ports"] = ports | {"wrong": {"direction": "output", "bits": wrong}}
        return self.module


class ReachabilityProver:
    """Proofs in ``folder`` for mutants of the RTLIL file ``flat``, whose module is ``top``.

    ``lanes``: PEs of a machine, which has invariants and a contract; 0 is another design.
    """

    def __init__(self, flat, folder, *, top="triodia", lanes=0, state_bits=0):
        self.folder, self.lanes, self.state_bits, self.top = folder, lanes, state_bits, top
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(flat, folder / "flat.il")

    def equivalent(self, mutation, timeout=60):
        """The name of the proof that the command ``mutation`` changes nothing, or ""."""
        for name in ("unseen", "paired", *(["allowed"] if self.lanes else [])):
            if self.holds(name, mutation, timeout):
                return name
        return ""

    def holds(self, name, mutation, timeout=60):
        """Whether the proof ``name`` (see above) succeeds in ``timeout`` seconds of PDR."""
        machine, mutant = self._read([]), self._read([mutation] if mutation else [])
        legal = self._legal(machine) if name == "allowed" else ["1"]
        wrong = self._together(machine, mutant, shared=name == "unseen")
        top = machine.finish(machine.add("result", "$and", {"A": wrong, "B": legal}, "Y", 1))
        (self.folder / "top.json").write_text(json.dumps({"modules": {"top": top}}))
        read = [f"read_verilog {_INVARIANTS}", "read_json top.json"]
        run_yosys([*read, *_TO_AIGER], self.folder, "top")
        return self._proven("scorr -F 1" if name == "unseen" else _PAIRED, timeout)

    def _read(self, mutation):
        script = ["read_rtlil flat.il", "delete t:$scopeinfo", *mutation, "write_json one.json"]
        run_yosys(script, self.folder, "one")
        return _Netlist(json.loads((self.folder / "one.json").read_text())["modules"][self.top])

    def _together(self, machine, mutant, *, shared):
        """Put the mutant into the machine's module; returns a bit: they differ.

        ``shared``: the mutant has the machine's registers.
        """
        same = dict(machine.starts())
        known = {}
        for name, bits in mutant.starts():
            known |= dict(zip(bits, same[name], strict=True))
        ours, ends = machine.registers(), list(machine.ends())
        theirs = mutant.registers()
        if shared:
            for name, register in theirs.items():
                known |= dict(zip(register["Q"], ours[name]["Q"], strict=True))
                ends.append((f"{name}.D", ours[name]["D"], None))
        offset = machine.new(mutant.free)[0]

        def moved(bits):
            return [known.get(b, b + offset if isinstance(b, int) else b) for b in bits]

        others = list(mutant.ends())
        if shared:
            others += [(f"{name}.D", theirs[name]["D"], None) for name in ours]
        for name, cell in mutant.cells.items():
            if not (shared and name in theirs):
                wires = {port: moved(bits) for port, bits in cell["connections"].items()}
                machine.cells[f"mutant:{name}"] = cell | {"connections": wires}
        init = {k: v for k, v in mutant.module["netnames"].items() if "init" in v["attributes"]}
        for name, net in init.items():
            if not shared:
                machine.module["netnames"][f"mutant:{name}"] = net | {"bits": moved(net["bits"])}
        a, b = [], []
        for (name, bits, enable), (other, their, when) in zip(
            sorted(ends), sorted(others), strict=True
        ):
            assert name == other
            a += machine.gated(name, bits, enable)
            b += machine.gated(f"mutant:{name}", moved(their), when and moved(when))
        wrong = machine.add("differ", "$ne", {"A": a, "B": b}, "Y", 1)
        if shared:
            wrong = machine.add("any", "$reduce_or", {"A": wrong + self._broken(machine)}, "Y", 1)
        return wrong

    def _legal(self, machine):
        """A bit: what has been loaded so far keeps to the contract."""
        writes, signs = [], []
        for lane in range(self.lanes):
            name = f"core.lane_{lane}.sweep.neurons.mem_"
            columns = sorted(ram for ram in machine.rams if ram.startswith(name))
            wires = [machine.rams[column]["connections"] for column in columns]
            writes += wires[0]["w_en"]
            # The threshold is the lowest field of a word.
            signs.append([b for w in wires for b in w["w_data"]][self.state_bits - 1])
        ports = {"clk": machine.wire("clk"), "writes": writes, "signs": signs}
        return machine.add("legal", "thresholds_positive", ports, "holds", 1)

    def _broken(self, machine):
        """For each invariant a bit: it does not hold."""
        bits = []
        for k, (kind, ports) in enumerate(_invariants(self.lanes) if self.lanes else []):
            wires = {p: [b for n in names for b in machine.wire(n)] for p, names in ports.items()}
            holds = machine.add(f"invariant:{k}", kind, wires, "holds", 1)
            bits += machine.add(f"broken:{k}", "$not", {"A": holds}, "Y", 1)
        return bits

    def _proven(self, before, timeout):
        after = self.folder / "after.aig"
        after.unlink(missing_ok=True)
        abc = Path(importlib.util.find_spec("pyosys").origin).parent / "yosys-abc"
        script = f"read_aiger top.aig; strash; scleanup; {before}; write_aiger {after.name}; "
        script += f"pdr -T {timeout}"
        done = subprocess.run(
            [abc, "-c", script], cwd=self.folder, capture_output=True, text=True, check=False
        )
        (self.folder / "abc.log").write_text(done.stdout + done.stderr)
        if done.returncode or not after.exists():
            raise ToolError(f"ABC failed; see {self.folder / 'abc.log'}")
        # Where nothing is left but a constant output, PDR says nothing of it.
        head, output, *_ = after.read_bytes().split(b"\n", 2)
        return "Property proved" in done.stdout or (head.endswith(b" 0 1 0") and output == b"0")
