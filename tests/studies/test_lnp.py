"""The study of LNP: plan, cells, resumption, statistics and pages."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from tests.support.commands import call, ok
from triodia.lab.store import Store, digest
from triodia_hw.errors import TriodiaError
from triodia_studies.cli.main import app as studies
from triodia_studies.cli.run import seed_list
from triodia_studies.lnp import cells
from triodia_studies.lnp.cell import Cell
from triodia_studies.lnp.cells import compute, dense_network, pruned_network
from triodia_studies.lnp.checks import inputs_table, late_table, readout_table
from triodia_studies.lnp.feedforward import feedforward_network
from triodia_studies.lnp.memory import memory_summary, memory_table, ours_table
from triodia_studies.lnp.plan import METHODS, plan
from triodia_studies.lnp.results import of_plan, read_results, run, write_results
from triodia_studies.lnp.summary import interval, paired, verdict
from triodia_studies.lnp.tables import all_tables, counts_of_verdicts
from triodia_studies.lnp.targets import targets_table
from triodia_studies.timescales import DEGREES, correlations, kept, study

DOCS = Path(__file__).parents[2] / "docs"


def cell(**changes):
    given = {"part": "main", "task": "digits", "method": "lnp", "seed": 0, "quick": True}
    return Cell(**{**given, **changes})


def test_every_cell_is_planned_once():
    for quick in (False, True):
        cells = plan(2, quick)
        assert len({digest(c.spec()) for c in cells}) == len(cells)
        longer = [c for c in cells if c.part == "readout" or c.task == "delayed-sum"]
        for part in ("memory", "readout", "inputs"):
            seeds = {c.seed for c in longer if c.part == part}
            assert seeds == (set() if quick else {0, 1, 2, 3})
        assert {c.seed for c in cells if c not in longer} == {0, 1}
        assert {c.quick for c in cells} == {quick}


@pytest.mark.parametrize("method", [m for m in METHODS if m != "lnp"])
def test_cells_have_the_counts_of_lnp(method):
    one, two = compute(cell()), compute(cell(method=method))
    for name in ("neurons", "synapses", "synapses_total"):
        assert one[name] == two[name]
    assert 0.1 < two["accuracy"] <= 1 and two["sops"] > 0


def test_cells_repeat_and_seeds_differ():
    assert compute(cell()) == compute(cell())
    assert compute(cell()) != compute(cell(seed=1))


def test_series_cells():
    one, peer = compute(cell(task="wind")), compute(cell(task="wind", method="esn"))
    assert one["synapses"] == peer["synapses"] and one["neurons"] == peer["neurons"]
    assert 0.5 < one["rmse"] < 1.5 and 0.5 < peer["rmse"] < 1.5
    dynamics = compute(cell(part="dynamics", task=""))
    assert dynamics["autocorrelation"][0] == pytest.approx(1)
    assert len(dynamics["spectrum_quantiles"]) == 41


def test_richer_readout_is_of_the_same_network():
    plain = compute(cell(task="lorenz"))
    rich = compute(cell(part="readout", task="lorenz-rich"))
    assert rich["rmse"] < plain["rmse"]
    same = ("neurons", "synapses", "rate", "sops", "persistence")
    assert {k: rich[k] for k in same} == {k: plain[k] for k in same}
    assert rich["synapses_out"] == 4 * plain["synapses_out"]
    peer = compute(cell(task="lorenz-rich", method="esn"))
    alone = compute(cell(task="lorenz", method="esn"))
    assert len(peer["recipe"]) == 4 and peer["vpt"] >= alone["vpt"]
    assert not alone["squares"]


def test_cut_networks_have_no_synapses():
    for method, neurons in (("dense+cut", 100), ("random+cut", 43)):
        found = compute(cell(part="why", method=method))
        assert (found["neurons"], found["synapses"], found["sops"]) == (neurons, 0, 0)
    assert compute(cell(method="lnp+gain"))["synapses"] == compute(cell())["synapses"]


def test_study_takes_known_results_and_resumes(tmp_path):
    """Known records stay as they are; others are computed, once."""
    asked = [cell(seed=s) for s in range(2)]
    known = {"cell": cell(seed=0).spec(), "result": {"accuracy": 2.0}, "commit": "old"}
    store = Store(tmp_path)
    first, second = run(asked, store, [known])
    assert first == known and second["result"] == compute(cell(seed=1))
    assert second["cell"]["seed"] == 1 and second["seconds"] > 0
    # Nothing is left to compute, so no cluster is asked for.
    assert run(asked, store, [known], scheduler="tcp://127.0.0.1:1") == [first, second]


def test_impossible_cell_is_kept_as_refused(tmp_path):
    impossible = cell(method="random", options={"budget": -1.0})
    found = cells.solved.work(tmp_path, {"cell": impossible.spec(), "device": "cpu"})
    assert found.keys() == {"refused"} and found["refused"].startswith(
        "budget and tolerance must be"
    )


def test_results_survive_their_file(tmp_path):
    path, records = tmp_path / "r.json.gz", [record("lnp", s, 0.5) for s in range(3)]
    write_results(path, {"seeds": 3}, records)
    content = path.read_bytes()
    assert read_results(path) == ({"seeds": 3}, records)
    write_results(path, {"seeds": 3}, records)
    assert path.read_bytes() == content
    assert of_plan(records, [cell(seed=2), cell(seed=9)]) == records[2:]


@pytest.mark.parametrize(
    "content", [b"\xff" * 9999, b"[" * 99999, b"\x1f\x8bno", b'{"records": [{"cell": {"x": 1}}]}']
)
def test_damaged_results_are_named(tmp_path, content):
    (tmp_path / "bad.gz").write_bytes(content)
    with pytest.raises(TriodiaError, match=r"bad\.gz must be a file of study results") as error:
        read_results(tmp_path / "bad.gz")
    assert len(str(error.value)) < 300


def test_published_results_are_whole():
    """3,414 results of earlier code, with the commits they came from."""
    made, records = read_results(DOCS / "lnp-study.json.gz")
    assert len(of_plan(records, plan(made["seeds"]))) == len(records) == 3414
    assert len({r["commit"] for r in records}) == 16
    assert (DOCS / "lnp-study.json.gz").stat().st_size < 200_000
    row = memory_summary(records)[0]
    assert (row["lnp"], row["random"]) == ("73.8% ± 3.8%", "wins: +17.8 ± 6.0")


def test_statistics_against_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.random(6), rng.random(6)
    found = paired(dict(enumerate(a)), dict(enumerate(b)))
    known = ttest_rel(a, b)
    low, high = known.confidence_interval(0.95)
    assert found["p"] == pytest.approx(known.pvalue)
    assert (found["mean"] - found["half"], found["mean"] + found["half"]) == pytest.approx((
        low,
        high,
    ))
    assert paired({0: 1.0}, {0: 2.0}) is None and paired({0: 1.0, 1: 2.0}, {}) is None
    assert math.isnan(interval([1.0])[1])
    assert paired({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0})["p"] == 1


def test_verdicts():
    better = {"mean": 0.1, "half": 0.05, "p": 0.01}
    assert verdict(better, True) == "wins" and verdict(better, False) == "loses"
    assert verdict({**better, "half": 0.2}, True) == "ties" and verdict(None, True) == "–"


def record(method, seed, value, **changes):
    made = cell(method=method, seed=seed, **changes).spec()
    counts = {"neurons": 10, "synapses": 20, "synapses_total": 30}
    return {"cell": made, "commit": "c", "result": {"accuracy": value, "sops": 5.0, **counts}}


def test_tables_say_who_wins():
    records = [
        record(method, seed, base + 0.01 * seed + wobble * (seed % 2))
        for method, base, wobble in (("lnp", 0.8, 0), ("random", 0.7, 0.001), ("dense", 0.8, 0.02))
        for seed in range(4)
    ]
    (row,) = counts_of_verdicts(records)
    assert row["random"] == "1 / 0 / 0" and row["dense"] == "0 / 1 / 0"
    titles = [title for title, _, _ in all_tables(records)]
    assert "Where LNP wins, ties and loses" in titles and "Ablation" not in titles


def test_targets_are_answered_from_the_results():
    records = [
        record(method, seed, 0.5 + 0.01 * seed + gap * (1 + 0.1 * seed), task=task)
        for task in ("digits", "japanese-vowels", "fashion-mnist")
        for method, gap in (("lnp", 0.2), ("activity", 0.0), ("dense", 0.2))
        for seed in range(3)
    ]
    rows = {row["target"]: row for row in targets_table(records)[2]}
    above = rows["above activity pruning on 4 tasks, ridge"]
    assert above["measured"].startswith("3 of 3") and above[""] == "too few tasks were run"
    assert len(rows) == 2  # nothing is said of what was not run
    more = [record(*args, training="bp", task="fashion-mnist-all") for args in
            (("lnp", 0, 0.85), ("lnp", 1, 0.88))]  # fmt: skip
    (fashion,) = [r for r in targets_table(more)[2] if "86 %" in r["target"]]
    assert fashion[""] == "holds" and fashion["measured"].startswith("86.5%")


def test_free_runs_are_compared_with_an_echo_state_network():
    records = [
        record(method, seed, 0.0, part=part, task=task)
        for part, task in (("main", "lorenz"), ("readout", "lorenz-rich"))
        for method in ("lnp", "random", "esn")
        for seed in range(3)
    ]
    for r in records:
        base = {"lnp": 1.0, "random": 0.5, "esn": 4.0}[r["cell"]["method"]]
        rich = 3 if r["cell"]["part"] == "readout" and base < 4 else 1
        r["result"]["vpt"] = base * rich + 0.01 * r["cell"]["seed"] * base
    plain, rich = (r for r in targets_table(records)[2] if "ESN" in r["target"])
    assert plain["measured"].startswith("0.25") and plain[""] == "missed"
    assert rich["measured"].startswith("0.7") and rich[""] == "holds"
    rows = {row["method"]: row for row in readout_table(records)[2]}
    assert set(rows) == {"lnp", "random", "esn"} and "lnp minus it" not in rows["lnp"]
    assert rows["random"]["lnp minus it"].startswith("wins: +1.5")
    assert rows["esn"]["lnp minus it"].startswith("loses: -")
    assert counts_of_verdicts(records)[0]["random"] == "1 / 0 / 0"  # of the main part alone


def trained_first(more, early):
    """Records of three methods pruned before training, and after a first one."""
    return [
        record(method, seed, base + 0.01 * seed + 0.001 * (seed % 2) * base, part=part, **more)
        for method, base, part in (
            ("lnp", 0.5, early),
            ("activity", 0.6, early),
            ("activity+inputs", 0.7, "inputs"),
            ("lnp+inputs", 0.65, "inputs"),
            ("lnp+twice", 0.55, "inputs"),
        )
        for seed in range(3)
    ]


def test_activity_pruning_that_keeps_its_inputs():
    (row,) = inputs_table(trained_first({}, "main"))[2]
    assert row["inputs gain"].startswith("wins: +10.0")
    assert row["over lnp"].startswith("wins: +20.0")
    assert row["seeds"] == "3" and row["activity+inputs"].startswith("71.0%")
    assert late_table(trained_first({}, "main"))[2] == []


def test_trained_before_pruning():
    sums = {"task": "delayed-sum", "training": "bp", "network": "short"}
    records = trained_first(sums | {"steps": "I+II+III"}, "memory")
    rows = {row["method"]: row for row in late_table(records)[2]}
    assert set(rows) == {"activity", "lnp"}
    assert rows["lnp"]["lnp minus it, trained first"] == rows["lnp"]["lnp minus it, twice"] == "–"
    assert rows["lnp"]["what training first brings"].startswith("wins: +10.0")
    assert rows["activity"]["lnp minus it, trained first"].startswith("loses: -5.0")
    assert rows["activity"]["pruned, trained"].startswith("61.0%")
    assert rows["activity"]["pruned, trained twice"] == "–"
    assert inputs_table(records)[2] == []


def test_activity_pruning_goes_on_from_its_inputs(monkeypatch):
    monkeypatch.setattr(cells, "_EPOCHS", {"digits": 1})
    kept = cell(part="inputs", method="activity+inputs", training="bp")
    plain = cell(method="activity", training="bp")
    net, bare = pruned_network(kept), pruned_network(plain)
    assert net.task == "digits" and bare.task is None
    assert np.array_equal(net.w_rec, bare.w_rec)
    one, two = compute(kept), compute(plain)
    assert (one["neurons"], one["synapses"]) == (two["neurons"], two["synapses"])
    assert one["accuracy"] > two["accuracy"]  # it has learned twice as long


def test_trained_twice_goes_on(monkeypatch):
    monkeypatch.setattr(cells, "_EPOCHS", {"digits": 2})
    once, twice = (compute(cell(method=m, training="bp")) for m in ("lnp", "lnp+twice"))
    assert twice["synapses_total"] == once["synapses_total"]
    assert twice["accuracy"] > once["accuracy"]


def test_memory_table_pairs_each_method_with_lnp():
    options = {"part": "memory", "task": "delayed-sum", "training": "bp", "network": "short"}
    records = [
        record(method, seed, base + 0.01 * seed + 0.001 * (seed % 2) * base, **options)
        for method, base in (("lnp", 0.5), ("random", 0.4), ("dense", 0.9))
        for seed in range(4)
    ]
    rows = {row["method"]: row for row in memory_table(records)[2]}
    assert set(rows) == {"lnp", "random", "dense"} and rows["lnp"]["lnp minus it"] == "–"
    assert rows["random"]["lnp minus it"].startswith("wins: +10.0")
    assert rows["dense"]["lnp minus it"].startswith("loses: -40.0")
    assert rows["random"]["seeds"] == "4" and rows["random"]["synapses"] == "20"
    (short,) = memory_summary(records)
    assert (short["lnp"][:2], short["steps"], short["neurons"]) == ("51", "I+II+III+IV", "10")
    assert short["random"] == "wins: +10.0 ± 0.0" and "dense" not in short
    # Step IV changes no count, so after I to III the controls are those of all four.
    three = [record("lnp", seed, 0.6 + 0.01 * seed, steps="I+II+III", **options) for seed in (0, 1)]
    row = {row["steps"]: row for row in memory_summary([*records, *three])}["I+II+III"]
    assert row["random"].startswith("wins: +20.0")
    # Its networks are others than the main table's, so it is no part of those counts.
    assert counts_of_verdicts(records) == []


def test_table_of_our_variants_pairs_with_rivals():
    records = [
        record(method, seed, base + 0.01 * seed + 0.001 * (seed % 2) * base, part=part)
        for method, base, part in (("slow", 0.6, "ours"), ("lnp", 0.5, "main"))
        for seed in range(3)
    ]
    (row,) = ours_table(records)[2]
    assert row["method"] == "slow" and "minus random" not in row
    assert row["minus lnp"].startswith("wins: +0.1")


def test_memory_cells_need_their_synapses():
    options = {"part": "memory", "task": "delayed-sum", "training": "bp", "network": "short"}
    net = dense_network("short", 0)
    assert net.neurons == 100 and net.tau_mem.mean() < 6
    done = {c.method for c in plan(1) if c.part == "memory" and c.steps == "I"}
    assert {"lnp", "random"} <= done
    cut = compute(cell(method="dense+cut", **options))
    assert cut["synapses"] == 0 and cut["accuracy"] < 0.4


def test_command_makes_pages_of_what_is_there(tmp_path, capsys):
    made = {"seeds": 2, "quick": True, "date": "d", "machine": "m", "versions": {}}
    methods = ("lnp", "random", "noise-weights", "dense")
    records = [record(m, s, 0.5 + 0.1 * s, training="ridge") for s in range(2) for m in methods]
    write_results(tmp_path / "r.json.gz", made, records)
    paths = ["--results", tmp_path / "r.json.gz", "--page", tmp_path / "p.md"]
    paths += ["--html", tmp_path / "p.html", "--quick", "--seeds", 2, "--pages-only"]
    data = ok(capsys, "study", "lnp", *paths)
    assert data["done"] == 8 < data["cells"]
    page, web = (tmp_path / "p.md").read_text(), (tmp_path / "p.html").read_text()
    assert "not complete" in page and "| ridge | half |" in page
    assert "](pictures/p.svg)" in page and (tmp_path / "pictures" / "p.svg").is_file()
    assert "task-ridge-digits" in web and not re.search(r"(src|href)=.?http", web)
    code, _, err = call(capsys, "study", "x")
    assert code == 2 and "study must be lnp" in err
    code, _, err = call(capsys, "study", "--pages-only", "--results", tmp_path / "none")
    assert code == 2 and "must be a file of study results" in err


def test_timescales_finds_what_accuracy_follows(tmp_path):
    records = []
    for one in plan(1):
        if one.part == "memory" and one.method in ("slow", "born-sparse", "lnp"):
            accuracy = float(pruned_network(one).tau_mem.mean()) / 10
            records.append({"cell": one.spec(), "result": {"accuracy": accuracy}})
    found = study(records)
    choices = found.plan([0])
    assert {c["cell"]["method"] for c in choices} == {"slow", "born-sparse", "lnp"}
    results = [found.stage.work(tmp_path, one) for one in choices]
    rows = {(r["methods"], r["property"]): r for r in found.rows(choices, results)}
    assert rows[7, "mean time constant"]["pooled"][0] == pytest.approx(1)
    assert rows[7, "mean time constant"]["within seeds"][0] == pytest.approx(1)
    assert rows[7, "mean time constant"]["networks"] == 3 and len(rows) == 8
    assert correlations([]) == []


def test_degrees_after_step_i(tmp_path):
    """The noise rule keeps more synapses into slow neurons, random choice does not."""
    noise, random = (
        kept.work(tmp_path, {"method": m, "seed": 0}) for m in ("noise-weights", "random")
    )
    assert noise["in"] > 0.3 > abs(random["in"])
    rows = DEGREES.rows([{"method": "x", "seed": s} for s in (0, 1)], [noise, random])
    assert rows[0]["in"] == pytest.approx((noise["in"] + random["in"]) / 2)


@pytest.mark.parametrize(("text", "seeds"), [("3", [0, 1, 2]), ("2,5", [2, 5])])
def test_seeds_of_a_study(text, seeds):
    assert seed_list(text) == seeds


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["x"], "study must be one of training, timescales"),
        (["training", "--seeds", "x"], "seeds must be a number or a list"),
        (["training", "--variant", "{"], "a variant must be JSON options of train"),
    ],
)
def test_bad_studies(capsys, arguments, text):
    code, _, err = call(capsys, "run", *arguments, program=studies)
    assert code == 2 and text in err


def test_the_feedforward_network_has_no_way_back():
    net = feedforward_network(30, 0)
    i, j = np.nonzero(net.mask_rec)
    assert np.all(net.cluster[i] == net.cluster[j] + 1)
    assert not np.linalg.matrix_power(net.w_rec.astype(float), 3).any()
