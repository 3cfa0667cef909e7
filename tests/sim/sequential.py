"""Whether a mutant of a flattened machine is the machine, by the states that it can reach.

Several ways, all from power-up, for all inputs and for ever. Memories are cut: what they hold is
any word, the same in both machines, and what is done to them must be the same.

- *Unseen*: in no state that the machine reaches does the mutation change an output, the next state
  or what is done to a memory. The property is proven by PDR, with invariants of ``invariants.v``,
  which are proven at the same time.
- *Beside*: the same, but the registers that the mutation feeds are there twice, the mutant's beside
  the machine's, and may differ. Whatever they hold then, nothing else does.
- *Ring*: as unseen or beside, by induction over a clock cycle, with the invariants of the whole
  ring: exactly one end of a step is on its way around.
- *Paired*: machine and mutant side by side put out the same. Registers may differ, such as one
  whose reset is another value but which is written before it is read. Signal correspondence
  (van Eijk 2000) finds and proves which registers are equal, PDR proves the rest.
- *Allowed*: the same, as long as what is loaded keeps to the contract: thresholds are positive.

ABC does all but the ring, which is a SAT problem of Yosys. They get the exported Verilog with
undefined constants as 0.
"""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.sim.invariants import beside, broken
from tests.sim.netlist import Netlist
from triodia_hw.errors import ToolError, YosysError
from triodia_hw.export.yosys import run_yosys

__all__ = ["ReachabilityProver"]

_INVARIANTS = Path(__file__).with_name("invariants.v")

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
_PROOFS = ("unseen", "paired", "beside")
_OF_MACHINE = ("allowed", "ring", "ring, beside")  # tried for a machine alone
_PAIRED = "scorr -F 1; scorr -F 2"


def _start_no_constants(wires):
    """Bits that a mutation made constant start with nothing: Yosys stops at two starts of one."""
    for wire in wires:
        start = wire.get("attributes", {}).get("init")
        if start:
            bits = zip(start[::-1], wire["bits"], strict=True)
            left = ["x" if isinstance(bit, str) else value for value, bit in bits]
            wire["attributes"]["init"] = "".join(left[::-1])


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
        for name in (*_PROOFS, *(_OF_MACHINE if self.lanes else ())):
            if self.holds(name, mutation, timeout):
                return name
        return ""

    def holds(self, name, mutation, timeout=60):
        """Whether the proof ``name`` (see above) succeeds in ``timeout`` seconds of PDR."""
        machine, mutant = self._read([]), self._read([mutation] if mutation else [])
        legal = self._legal(machine) if name == "allowed" else ["1"]
        own = set()
        if "beside" in name and mutation:
            own = machine.fed(re.search(r"-cell (\S+)", mutation)[1])
            own |= {r for one in own for r in machine.fed(one)}
        wrong = self._together(machine, mutant, name, own)
        top = machine.finish(machine.add("result", "$and", {"A": wrong, "B": legal}, "Y", 1))
        (self.folder / "top.json").write_text(json.dumps({"modules": {"top": top}}))
        read = [f"read_verilog {_INVARIANTS}", "read_json top.json"]
        if "ring" in name:
            return self._inductive(read, timeout)
        run_yosys([*read, *_TO_AIGER], self.folder, "top")
        return self._proven(_PAIRED if name in ("paired", "allowed") else "scorr -F 1", timeout)

    def _read(self, mutation):
        script = ["read_rtlil flat.il", "delete t:$scopeinfo", *mutation, "write_json one.json"]
        run_yosys(script, self.folder, "one")
        module = json.loads((self.folder / "one.json").read_text())["modules"][self.top]
        _start_no_constants(module["netnames"].values())
        return Netlist(module)

    def _together(self, machine, mutant, proof, own):
        """Put the mutant into the machine's module; returns a bit: they differ.

        The mutant has the machine's registers, except ``own``; for pairs all are its own.
        """
        shared = proof not in ("paired", "allowed")
        same, ours = dict(machine.starts()), machine.registers()
        known, ends = {}, list(machine.ends())
        for name, bits in mutant.starts():
            known |= dict(zip(bits, same[name], strict=True))
        both = {r: w for r, w in mutant.registers().items() if shared and r not in own}
        for name, register in both.items():
            known |= dict(zip(register["Q"], ours[name]["Q"], strict=True))
            ends.append((f"{name}.D", ours[name]["D"], None))
        offset = machine.new(mutant.free)[0]

        def moved(bits):
            return [known.get(b, b + offset if isinstance(b, int) else b) for b in bits]

        others = [*mutant.ends(), *((f"{name}.D", w["D"], None) for name, w in both.items())]
        for name, cell in mutant.cells.items():
            if name not in both:
                wires = {port: moved(bits) for port, bits in cell["connections"].items()}
                machine.cells[f"mutant:{name}"] = cell | {"connections": wires}
        for name, net in list(mutant.module["netnames"].items()):
            if "init" in net["attributes"]:
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
            bits = [*wrong, *broken(machine, self.lanes, ring="ring" in proof)]
            if "ring" in proof:
                theirs = mutant.registers()
                bits += beside(machine, [(ours[r]["Q"], moved(theirs[r]["Q"])) for r in own])
            wrong = machine.add("any", "$reduce_or", {"A": bits}, "Y", 1)
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

    def _inductive(self, read, timeout):
        """Whether it holds at power-up, and after a state in which it holds."""
        clean = ["opt_clean -purge", "opt_expr", "opt_merge -share_all"]
        prepare = ["hierarchy -top top", "proc", "flatten", "setundef -zero", *clean, "dffunmap"]
        induce = "sat -tempinduct -verify -prove wrong 0 -maxsteps 2"
        try:
            run_yosys(
                [*read, *prepare, *clean, "opt_clean -purge", f"{induce} -timeout {timeout}"],
                self.folder,
                "induction",
            )
        except YosysError as error:
            if "proof did fail" in str(error) or "timed out" in str(error).lower():
                return False
            raise
        return True

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
