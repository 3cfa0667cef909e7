# amaranth: UnusedElaboratable=no
"""Proofs, each checked not to be vacuous, and deliberate faults that must break them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import triodia_hw
import triodia_sim
from tests.support.bus_faults import BUS_FAULTS
from triodia_sim.formal import runner
from triodia_sim.formal.loop import Loop, loop_params
from triodia_sim.formal.proofs import PROOFS
from triodia_sim.formal.runner import FormalError, formal_rtlil, run_sby

GATEWARE = Path(triodia_hw.__file__).parent / "gateware"

# name: (file of the gateware, text, faulty text, proof that must fail)
FAULTS = {
    "queue overwrites when full": (
        "queue.py",
        "self.i.ready.eq(~level[-1])",
        "self.i.ready.eq(1)",
        "queue of 4, 1 spare",
    ),
    "queue doubles what waits": (
        "queue.py",
        "read.addr.eq(read.addr + 1)",
        "read.addr.eq(read.addr + self.o.ready)",
        "queue of 4, 1 spare",
    ),
    "queue changes its offer": (
        "queue.py",
        "with m.If(free):",
        "with m.If(1):",
        "queue of 4, 0 spare",
    ),
    "room one place too late": (
        "queue.py",
        "self.room.eq(level < self.depth - self.spare)",
        "self.room.eq(level <= self.depth - self.spare)",
        "queue of 4, 1 spare",
    ),
    "end overtakes items": (
        "collector.py",
        "ends.eq(Cat(i.valid & i.p.end for i in self.i).all())",
        "ends.eq(Cat(i.valid & i.p.end for i in self.i).any() & ~waiting.any())",
        "collector of 2",
    ),
    "record taken twice": ("collector.py", "& ~grant & ~turn", "& ~turn", "collector of 3"),
    "all ends put together": (
        "collector.py",
        "grant[k] | end if k == 0 else grant[k]",
        "grant[k] | end",
        "collector of 2",
    ),
    "unfair": (
        "collector.py",
        "m.d.sync += turn.eq(behind)",
        "m.d.sync += turn.eq(behind | waiting)",
        "collector of 3",
    ),
    "collector heeds no room": ("collector.py", "go.eq(self.o.room)", "go.eq(1)", "collector of 3"),
    "records without a place": (
        "collector.py",
        "IN_FLIGHT = 5",
        "IN_FLIGHT = 1",
        "collector to queue",
    ),
    "bus heeds only one lane": (
        "bus.py",
        "Cat(lane.room for lane in self.lanes).all()",
        "self.lanes[0].room",
        "bus promise",
    ),
    "input does not wait for its step": (
        "bus.py",
        "ends.eq(i.valid & i.p.end & r.valid & r.p.end)",
        "ends.eq(i.valid & i.p.end & ~spike)",
        "bus rounds",
    ),
    "spike overwritten": (
        "bus.py",
        "token.eq(Mux(spike, r.payload, i.payload))",
        "token.eq(Mux(item, i.payload, r.payload))",
        "bus rounds",
    ),
    "token doubled": (
        "bus.py",
        " valid.eq(go & (ends | spike | item))",
        " valid.eq(ends | spike | item)",
        "bus to fetchers",
    ),
    "too few spare places": ("fetcher.py", "_STAGES + 2", "_STAGES", "bus to fetchers"),
    "no forwarding from the last sum": (
        "accumulator.py",
        "Mux(follows[1], total, operand)",
        "operand",
        "any synapses",
    ),
    "no forwarding at distance four": (
        "accumulator.py",
        "~now[1] & (now[2] | now[3])",
        "~now[1] & now[2]",
        "any synapses",
    ),
    "forwarding across banks": (
        "accumulator.py",
        "[bank.eq(~bank), mates.eq(0)]",
        "bank.eq(~bank)",
        "one synapse",
    ),
    "banks swapped for the sweep": (
        "accumulator.py",
        "Mux(bank, banks[0].r_data.sum, banks[1].r_data.sum)",
        "Mux(bank, banks[1].r_data.sum, banks[0].r_data.sum)",
        "one synapse",
    ),
    "first sweep clears one bank": (
        "accumulator.py",
        "((bank != index) | sweep.clear_all)",
        "(bank != index)",
        "one synapse, 4 slots",
    ),
    "reading switches banks": (
        "accumulator.py",
        "m.If(sweep.end & ~sweep.read)",
        "m.If(sweep.end)",
        "one synapse",
    ),
    "sum written a cycle late": (
        "accumulator.py",
        "adding = valid[2] &",
        "adding = valid[3] &",
        "one synapse",
    ),
    "spikes of the last step delivered": (
        "hub.py",
        "~(record.readout | record.last)",
        "~record.readout",
        "loop of 2, spikes",
    ),
    "spike lost when few places are free": (
        "hub.py",
        "collector.o.room.eq(self.o.room & returns.room)",
        "collector.o.room.eq(self.o.room)",
        "loop of 2, spikes",
    ),
    "first end leaves at the output": (
        "hub.py",
        "self.o.valid.eq(records.valid & (started | ~record.end))",
        "self.o.valid.eq(records.valid)",
        "loop of 2, outputs",
    ),
    "input overtakes its step": (
        "bus.py",
        "ends.eq(i.valid & i.p.end & r.valid & r.p.end)",
        "ends.eq(i.valid & i.p.end & ~spike)",
        "loop of 2, inputs",
    ),
    "delayed event of the sequence before": (
        "wheel.py",
        "kept.eq(0)",
        "kept.eq(kept)",
        "wheel, delay 1",
    ),
    "list one event short": (
        "wheel.py",
        "count.eq(count + 1)]",
        "count.eq(count | 1)]",
        "wheel, delay 1",
    ),
    "replay of the wrong step": (
        "wheel.py",
        "place.eq(_back(step, delays[0], lists.depth))",
        "place.eq(step)",
        "wheel, delay 1",
    ),
    "end before the last event": (
        "wheel.py",
        "finish.eq(over & ~ended & (left == 0) & queue.room)",
        "finish.eq(over & ~ended & (left <= 1) & queue.room)",
        "wheel, delay 1",
    ),
    **BUS_FAULTS,
    "row read before it is open": (
        "sdram.py",
        "self._waits[self.bank].eq(t.activate_to_read - 1)",
        "self._waits[self.bank].eq(t.activate_to_read - 2)",
        "SDRAM commands",
    ),
    "row closed too soon": (
        "sdram.py",
        "eq(t.activate_to_precharge - 1)",
        "eq(t.activate_to_precharge - 2)",
        "SDRAM commands",
    ),
    "bank closed under a burst": (
        "sdram.py",
        "banks.other & ~(more & banks.streams)",
        "banks.other",
        "SDRAM commands",
    ),
    "write while the chip drives": (
        "sdram.py",
        "turned = request.valid & request.write & banks.reading",
        "turned = C(0)",
        "SDRAM commands",
    ),
    "refresh in a burst": (
        "sdram.py",
        "((owed != 0) | turned) & ~self.read.more",
        "(owed != 0) | turned",
        "SDRAM commands",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_can_be_made(name):
    """Fast, so that a change of the gateware shows at once which faults it leaves behind."""
    file, text, *_ = FAULTS[name]
    assert (GATEWARE / file).read_text().count(text) == 1


def faulty_rtlil(folder, name):
    """Netlist of the proof over a copy of the gateware with the fault."""
    package = folder / "source" / "triodia_hw"
    shutil.copytree(Path(triodia_hw.__file__).parent, package)
    file, text, faulty, proof = FAULTS[name]
    source = package / "gateware" / file
    assert source.read_text().count(text) == 1, f"{text!r} is no longer once in {file}"
    source.write_text(source.read_text().replace(text, faulty))
    code = (
        "import runpy, sys, triodia_hw; "
        "assert triodia_hw.__file__.startswith(sys.argv.pop(1)); "
        "runpy.run_module('triodia_sim.formal.proofs', run_name='__main__')"
    )
    sources = [str(folder / "source"), str(Path(triodia_sim.__file__).parent.parent)]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, sources[0], proof, folder / "faulty.il"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sources)},
        check=True,
    )
    return (folder / "faulty.il").read_text()


@pytest.mark.formal
@pytest.mark.parametrize("name", PROOFS)
def test_proof(name, tmp_path):
    proof = PROOFS[name]
    verdict = run_sby(formal_rtlil(proof.make()), tmp_path, proof.mode, depth=proof.bound or 20)
    assert verdict.holds, f"{verdict.broken} fails; see {verdict.trace}"


@pytest.mark.formal
@pytest.mark.parametrize("name", PROOFS)
def test_proof_is_not_vacuous(name, tmp_path):
    proof = PROOFS[name]
    netlist = formal_rtlil(proof.make())
    assert 'FLAVOR "cover"' in netlist
    verdict = run_sby(netlist, tmp_path, "cover", depth=proof.reach)
    assert verdict.holds, f"{verdict.broken} cannot be reached"


@pytest.mark.formal
@pytest.mark.parametrize("name", FAULTS)
def test_fault_has_a_counterexample(name, tmp_path):
    proof = PROOFS[FAULTS[name][-1]]
    netlist = faulty_rtlil(tmp_path, name)
    verdict = run_sby(netlist, tmp_path, "bmc", depth=proof.bound or 20)
    assert not verdict.holds
    assert verdict.broken
    assert verdict.trace.exists()


@pytest.mark.formal
def test_every_proof_has_a_fault_of_its_unit():
    units = {name.split()[0].strip(",") for name in PROOFS}
    assert {name.split()[0].strip(",") for *_, name in FAULTS.values()} == units


def test_netlists_have_properties():
    for proof in PROOFS.values():
        netlist = formal_rtlil(proof.make())
        assert 'FLAVOR "assert"' in netlist
        assert "$meminit" not in netlist


def test_missing_tool(monkeypatch, tmp_path):
    monkeypatch.setattr(runner.importlib.util, "find_spec", lambda name: None)
    reason = "^pyosys is missing for formal proofs; `make setup-formal` brings it$"
    with pytest.raises(FormalError, match=reason):
        run_sby("", tmp_path, "prove")


@pytest.mark.formal
def test_missing_solver(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(
        runner.shutil, "which", lambda name, **k: None if "yices" in name else which(name, **k)
    )
    with pytest.raises(FormalError, match=r"^solver is missing for formal proofs; `make setup-"):
        runner.find_tools()


def test_unknown_mode(tmp_path):
    with pytest.raises(ValueError, match=r"^mode must be one of prove, bmc, cover, not 'live'$"):
        run_sby("", tmp_path, "live")


def test_what_is_tracked():
    with pytest.raises(
        ValueError, match=r"^tracked must be one of inputs, spikes, outputs, not 'x'$"
    ):
        Loop(loop_params(1), "x", depth=2)


@pytest.mark.formal
def test_no_answer_is_an_error(tmp_path):
    with pytest.raises(
        FormalError, match=r"^SymbiYosys gave no answer \(ERROR\); see .*prove.log$"
    ):
        run_sby("not a netlist", tmp_path, "prove")
