"""Whether a mutant of a flattened machine is the machine: a proof by SAT, or "unknown".

Registers and memories of machine and mutant are cut: what they hold becomes inputs that both
share, what they get becomes outputs. If all outputs are equal for all inputs, then both machines,
which start equal, stay equal for ever: the proof needs no reachable states and no hierarchy. It is
not complete: a difference in states that no run reaches leaves the mutant "unknown", which counts
as not equivalent.
"""

import json
import shutil

from triodia_hw.errors import YosysError
from triodia_hw.export.yosys import run_yosys

__all__ = ["Prover"]

_HELD = {"$dff": "Q", "triodia_ram": "r_data", "triodia_queue_ram": "r_data"}
_PROVE = [
    "read_json gold.json",
    "read_json gate.json",
    "miter -equiv -flatten -make_assert gold gate miter",
    "hierarchy -top miter",
    "flatten",
    "opt_clean",
    "opt_merge -share_all",
    "opt_expr",
    "opt_merge -share_all",
    "opt_clean",
]


class Prover:
    """Proofs in ``folder`` for mutants of the RTLIL file ``flat``, whose module is ``triodia``."""

    def __init__(self, flat, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(flat, folder / "flat.il")
        self._cut("gold", [])

    def _cut(self, name, mutation):
        """Write ``name``.json, the machine without registers and memories."""
        script = ["read_rtlil flat.il", "delete t:$scopeinfo", *mutation, f"rename triodia {name}"]
        script += ["setattr -unset init w:*"]  # no register is left that starts with one
        file = self.folder / f"{name}.json"
        run_yosys([*script, f"write_json {file.name}"], self.folder, name)
        module = json.loads(file.read_text())["modules"][name]
        for cell in [c for c, what in module["cells"].items() if what["type"] in _HELD]:
            what = module["cells"].pop(cell)
            for port, bits in what["connections"].items():
                way = "input" if port == _HELD[what["type"]] else "output"
                label = f"cut:{cell}.{port}".replace("$", "_").replace("\\", "_")
                module["ports"][label] = {"direction": way, "bits": bits}
        assert not [w for w in module["cells"].values() if "ff" in w["type"] or "mem" in w["type"]]
        file.write_text(json.dumps({"modules": {name: module}}))

    def equivalent(self, mutation, timeout=60):
        """Whether a proof was found that the command ``mutation`` changes nothing."""
        self._cut("gate", [mutation] if mutation else [])
        try:
            prove = f"sat -verify -prove-asserts -timeout {timeout} miter"
            run_yosys([*_PROVE, prove], self.folder, "prove")
        except YosysError as error:
            if "proof did fail" in str(error) or "timed out" in str(error).lower():
                return False
            raise
        return True
