"""The comparison with other cores: testbenches on made-up cores, models, rows and messages."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import call
from triodia_boards.flow.tools import BuildError
from triodia_hw.machine.reference import Reference
from triodia_studies.bench.peers.catalyst import CATALYST, CATALYST_INFERENCE
from triodia_studies.bench.peers.icarus import Bench, Stuck, write_hex
from triodia_studies.bench.peers.measure import PEERS, Choice, plan
from triodia_studies.bench.peers.peer import TooLarge
from triodia_studies.bench.peers.placing import Source, clock_of, place, probe_verilog
from triodia_studies.bench.peers.rows import rows
from triodia_studies.bench.peers.tinyodin import TINYODIN, Network, model
from triodia_studies.bench.peers.workload import Workload
from triodia_studies.bench.storage import random_image
from triodia_studies.bench.tables import update

CORES = Path(__file__).parent.parent / "support" / "peers"
MADE_UP = {
    TINYODIN.name: replace(TINYODIN, files=("tinyODIN.v",)),
    CATALYST.name: replace(CATALYST, files=("scalable_core_v2.v",)),
}


@pytest.fixture(scope="module")
def work():
    """A random network of 24 neurons and 16 inputs that fires, and two samples of 6 steps."""
    image = random_image(24, 1, 0.3, 8, False, 0)
    low = replace(image.neurons, threshold=np.full(24, 5_000))
    rng = np.random.default_rng(0)
    steps = [[(int(c), 90) for c in np.flatnonzero(rng.random(16) < 0.4)] for _ in range(12)]
    return Workload(replace(image, neurons=low), [steps[:6], steps[6:]])


def test_the_workload_is_what_the_reference_does(work):
    reference, operations, sends = Reference(work.image), 0, []
    for sequence in work.sequences:
        fired = np.empty(0, int)
        for k, events in enumerate(sequence):
            sends.append(sorted([*fired.tolist(), *(24 + channel for channel, _ in events)]))
            result = reference.step(events, last=k == len(sequence) - 1)
            fired, operations = result.spikes, operations + result.sops
    assert [row.tolist() for row in work.senders()] == sends
    assert any(source < 24 for row in sends for source in row)  # some neuron fires
    assert (work.operations, work.steps, work.sources) == (operations, 12, 40)
    assert np.count_nonzero(work.weights) == work.image.synapses


@pytest.mark.parametrize("name", MADE_UP)
def test_a_core_that_computes_its_neuron_passes(tmp_path, work, name):
    peer, events = MADE_UP[name], int(work.events.sum())
    speed = peer.run(work, CORES, tmp_path)
    assert speed.steps == 12
    if name == CATALYST.name:
        # 10 cycles of a run and one to tell; an external current before the start takes one each
        own = events - int(work.events[0].sum())
        idle = sum(not row.size for row in list(work.senders())[1:]) + 1
        assert speed.cycles == 12 * 10 + own + idle
        assert (speed.operations, speed.spikes) == (work.operations, events)
    else:
        assert speed.operations == events * 24 and speed.spikes > 0
        assert speed.cycles > 3 * (events + 12)


@pytest.mark.parametrize(
    ("name", "fault", "text"),
    [
        (TINYODIN.name, "FAULT", "computed something else than its documented neuron"),
        (CATALYST.name, "FAULT", "computed something else than its documented neuron"),
        (CATALYST.name, "DEAF", "did not come to an end"),
    ],
)
def test_a_core_that_does_not_is_refused(tmp_path, work, name, fault, text):
    peer = MADE_UP[name]
    (core,) = peer.paths(CORES)
    (tmp_path / core.name).write_text(f"`define {fault}\n{core.read_text()}")
    with pytest.raises(Stuck, match=text):
        peer.run(work, tmp_path, tmp_path)


def test_what_the_testbench_prints_and_reads(tmp_path):
    bench = Bench("VCD info: none\nstep 3\nspike 1\nstep -7\nstep\n")
    assert (bench["step"], bench["spike"], bench["potential"]) == ([3, -7], [1], [])
    write_hex(tmp_path / "words.hex", [5, -1, 4096], 12)
    assert (tmp_path / "words.hex").read_text() == "005\nfff\n000\n"


def test_a_network_in_the_words_of_tinyodin(work):
    network = Network.of(work)
    assert np.array_equal(np.sign(network.weights), np.sign(work.weights))
    assert np.abs(network.weights).max() == 7
    words = network.synapse_words()
    for source, target in ((0, 3), (39, 8), (30, 23)):
        nibble = words[source << 5 | target >> 3] >> 4 * (target & 7) & 15
        assert nibble == network.weights[source, target] & 15
    assert words.size == 8192 and not words[40 << 5 :].any()
    word = network.neuron_words()[2]
    assert word == int(network.leak[2]) << 24 | int(network.threshold[2]) << 12
    assert network.neuron_words()[24] == 1 << 31  # unused neurons are silent


def test_the_neuron_of_tinyodin_by_hand(work):
    """Two steps: neurons 0 and 1 fire, 2 saturates below and leaks, 3 is silent."""
    weights = np.zeros((40, 24), int)
    weights[24, :4] = [5, 7, -2047, 7]
    threshold, leak = np.full(24, 2047), np.zeros(24, int)
    threshold[:2], threshold[3], leak[:4] = 7, 7, 3
    network = Network(weights, threshold, leak, silent=np.arange(24) == 3)
    both = replace(work, sequences=[[[(0, 1)], [(0, 1)]]])
    only = np.zeros((2, 40), bool)
    only[:, 24] = True
    both.__dict__["events"] = only
    fired, v = model(network, both)
    assert fired == [1, 0, 1]  # 5 - 3 + 5 reaches 7; neuron 3 resets without an event
    assert v[:4].tolist() == [0, 0, -2045, 0]


def test_a_network_that_is_too_large(tmp_path):
    large = Workload(random_image(241, 1, 0.01, 8, False, 0), [[[(0, 1)]]])
    for peer in PEERS:
        for action in (peer.source, lambda *a, peer=peer: peer.run(*a, tmp_path)):
            with pytest.raises(TooLarge, match="has 256 rows of synapses, and this network needs"):
                action(large, CORES)


def test_the_probe_joins_every_port():
    source = Source("core", (), "ck", ("slow",), {"N": 4}, frozenset({"off"}))
    ports = {"ck": ("input", 1), "slow": ("input", 1), "a": ("input", 3), "off": ("input", 2)}
    ports |= {"b": ("input", 1), "x": ("output", 5), "y": ("output", 2)}
    text = probe_verilog(source, ports)
    assert "module top(input clk, input slow, input d, output reg q);" in text
    assert "core #(.N(4)) core(" in text
    for joined in (".a(given[0+:3])", ".b(given[3+:1])", ".x(ports[0+:5])", ".y(ports[5+:2])"):
        assert joined in text
    assert ".ck(clk)" in text and ".slow(slow)" in text and ".off(2'd0)" in text
    assert "reg [3:0] shift, given;" in text and "wire [6:0] ports;" in text


def test_the_clock_that_counts():
    clocks = {"$glbnet$SCK$TRELLIS_IO_IN": {"achieved": 9.0}, "$glbnet$clk$X": {"achieved": 40.0}}
    assert clock_of(clocks, "clk") == 40.0
    with pytest.raises(BuildError, match="but not other"):
        clock_of(clocks, "other")


@pytest.mark.slow
def test_a_made_up_core_is_placed(tmp_path):
    core = tmp_path / "core.v"
    core.write_text(
        "module core #(parameter N = 1) (input ck, input [N-1:0] a, output reg [N-1:0] y,"
        " input off);\nalways @(posedge ck) y <= off ? 0 : y + a;\nendmodule\n"
    )
    source = Source("core", (core,), "ck", parameters={"N": 12}, tied=frozenset({"off"}))
    found = place(source, tmp_path / "out", 1)
    assert 100 < found["fmax_mhz"] < 1000 and found["blocks"] == found["multipliers"] == 0
    # 12 of the core; 12 bits shift and the last is held; two behind each output; counter; pin
    assert found["registers"] == 12 + (12 + 1) + 24 + 8 + 1


CHOICES = [Choice(128, 2, lanes=1), Choice(128, 2, lanes=4)]
CHOICES += [Choice(128, 2, peer="tinyODIN", digest=TINYODIN.digest)]
CHOICES += [Choice(128, 2, peer="Catalyst N1", digest="abcdefgh")]
SPEED = {"steps": 10, "operations": 4000, "spikes": 5, "samples": 2, "events": 30, "useful": 2000}
SPEED |= {"synapses": 300, "stored": 300, "weight_bits": 8}
AREA = {"lut4": 900, "luts": 1000, "registers": 500, "blocks": 5, "multipliers": 1}


def _rows():
    speeds = [SPEED | {"cycles": cycles} for cycles in (2000, 500, 8000, 1000)]
    placements = [[AREA | {"fmax_mhz": fmax} for fmax in (90.0, 100.0, 110.0)]] * 2
    placements += [[AREA | {"luts": 500, "fmax_mhz": 40.0}], [{"reason": "too much logic"}]]
    return rows(CHOICES, speeds, placements)


def test_rows():
    one, four, crossbar, unplaced = _rows()
    assert [r["design"] for r in (one, four)] == ["Triodia, 1 PE", "Triodia, 4 PEs"]
    assert one["fmax_median"] == 100 and one["cycles_per_step"] == 200
    assert one["us_per_sample"] == pytest.approx(10)  # 1000 cycles at 100 MHz
    assert one["sop_per_second"] == pytest.approx(100e6)  # 2000 in 20 µs
    assert four["relative_sop_per_second"] == pytest.approx(4)
    assert crossbar["relative_sop_per_second"] == pytest.approx(0.1)
    assert crossbar["relative_sop_per_second_per_cell"] == pytest.approx(0.2)
    assert crossbar["version"] == "1865653" and "abcdefg" in unplaced["version"]
    assert unplaced["why_not_placed"] == "too much logic" and unplaced["luts"] is None
    assert unplaced["us_per_sample"] is None and unplaced["relative_sop_per_second"] is None


def test_a_design_that_was_simulated_only():
    (one,) = rows(CHOICES[:1], [SPEED | {"cycles": 2000}], [[]])
    assert one["why_not_placed"] == "simulated only" and one["cycles_per_step"] == 200
    assert one["fmax_median"] is None and one["luts"] is None


def test_tables(tmp_path):
    page, results = tmp_path / "page.md", tmp_path / "peers.json"
    page.write_text("".join(f"<!-- peers-{part} -->\n<!-- end -->\n" for part in ("speed", "area")))
    for part in ("peers-speed", "peers-area"):
        update(part, {"rows": _rows()}, results, page, "peers")
    text = page.read_text()
    assert "| tinyODIN | 128 | 800 | 100 | 10.0 | 0.100 | 20.00 | 0.200 |" in text
    assert "| Catalyst N1 | 128 | 100 | – | – | – | – | – |" in text
    assert "| tinyODIN | 128 | 300 | 8 | 500 | 500 | 5 | 1 | 40.0 |" in text
    found = json.loads(results.read_text())
    assert list(found) == ["peers"] and len(found["peers"]["rows"]) == 4


@pytest.mark.parametrize("arguments", [[], ["--tinyodin", "nowhere"], ["--peers", "nowhere"]])
def test_sources_that_are_missing(capsys, arguments):
    code, _, err = call(capsys, "bench-peers", *arguments)
    text = " ".join(err.split())
    assert code == 2 and "Traceback" not in err
    assert "clone https://github.com/ChFrenkel/tinyODIN at commit 1865653" in text
    assert "set TINYODIN to its folder" in text
    assert ("nowhere" in text) == bool(arguments)


def test_each_peer_says_which_variable(tmp_path, capsys):
    (tmp_path / "tinyODIN").mkdir()
    for file in TINYODIN.files:
        (tmp_path / "tinyODIN" / file).write_text("")
    code, _, err = call(capsys, "bench-peers", "--peers", tmp_path)
    assert code == 2 and "scalable_core_v2.v is missing" in " ".join(err.split())
    assert "set N1 to its folder" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--neurons", "15"], "neurons must be 16 to 235, not 15"),
        (["--neurons", "128,236"], "neurons must be 16 to 235, not 128,236"),
        (["--neurons", ","], "neurons must be 16 to 235, not ,"),
        (["--without", "ODIN"], "without must be one of tinyODIN; Catalyst N1;"),
        (["--unplaced", "N1"], "unplaced must be one of tinyODIN; Catalyst N1;"),
        (["--page", "none.md"], "none.md must be a page with places for the tables"),
    ],
)
def test_bad_input(tmp_path, capsys, arguments, text):
    for peer in PEERS:
        for file in peer.files:
            (tmp_path / peer.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / peer.folder / file).write_text("")
    code, _, err = call(capsys, "bench-peers", "--peers", tmp_path, *arguments)
    assert code == 2 and text in " ".join(err.split())


def test_every_design_is_planned(tmp_path):
    for file in TINYODIN.files:
        (tmp_path / file).write_text("module x; endmodule")
    folder = {TINYODIN.name: tmp_path, CATALYST.name: tmp_path, CATALYST_INFERENCE.name: tmp_path}
    (tmp_path / "rtl").mkdir()
    for file in CATALYST.files:
        (tmp_path / file).write_text("")
    planned = plan([64, 128], 3, folder)
    assert [(c.neurons, c.lanes or c.peer) for c in planned] == [
        (n, what) for n in (64, 128) for what in (1, 4, *(peer.name for peer in PEERS))
    ]
    assert planned[2].digest == TINYODIN.fingerprint(tmp_path) != TINYODIN.digest
