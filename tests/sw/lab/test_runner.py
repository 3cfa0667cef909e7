"""Grids of choices: cells, what is kept of them, and sweeps that lose nothing."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dask.distributed import LocalCluster

from tests.support.commands import call
from triodia.lab.compare import table
from triodia.lab.grid import Cell, grid, varying
from triodia.lab.report.plots import pareto
from triodia.lab.runner import _client, explore, spread
from triodia.lab.store import Store, Unknown, digest, made_with
from triodia_hw.errors import TriodiaError

SMALLEST = {"task": "digits", "neurons": 16, "lanes": 1, "epochs": 1, "samples": 1}


def test_grid():
    cells = grid(SMALLEST, {"board": ["ulx3s-25f", "icebreaker"], "seed": [3, 1]})
    made = [(cell.board, cell.seed) for cell in cells]
    assert made == [("ulx3s-25f", 3), ("ulx3s-25f", 1), ("icebreaker", 3), ("icebreaker", 1)]
    assert all(cell.neurons == 16 for cell in cells)
    assert varying(cells) == ["board", "seed"] and varying(cells[:1]) == []
    # A network does not depend on the machine.
    assert cells[0].network == cells[2].network != cells[1].network


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"task": "x"}, r"task must be one of .*, not 'x'"),
        ({"synapses": 0.0}, "synapses must be above 0 and at most 1, not 0.0"),
        ({"nodes": 1.5}, "nodes must be above 0 and at most 1, not 1.5"),
        ({"lanes": 33}, r"lanes must be in 1\.\.32, not 33"),
        ({"method": "x"}, "method must be one of .*, not 'x'"),
        ({"first": "x"}, "first must be prune or train, not 'x'"),
        ({"method": "none", "synapses": 0.5}, "method must be one that prunes, not 'none', .*"),
    ],
)
def test_bad_cell(choice, text):
    with pytest.raises(TriodiaError, match=f"^{text}"):
        Cell(**choice)


@pytest.mark.parametrize(("values", "text"), [([], "at least one value"), ([1, 1], "not name a")])
def test_bad_axis(values, text):
    with pytest.raises(TriodiaError, match=f"^seed must .*{text}"):
        grid({}, {"seed": values})


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (("--synapses", "1,x"), "synapses must be numbers by comma, not '1,x'"),
        (("--lanes", "1.5"), "lanes must be whole numbers by comma, not '1.5'"),
        (("--board", "x"), "board must be one of"),
        (("--scheduler", "tcp://127.0.0.1:1"), "must be the address of a running dask scheduler"),
    ],
)
def test_bad_options(capsys, tmp_path, option, text, monkeypatch):
    monkeypatch.setattr("triodia.lab.runner._WAIT", 0.5)
    code, _, err = call(capsys, "compare", "-o", tmp_path / "out", *option)
    assert code == 2 and text in err and "Traceback" not in err


class TestStore:
    def test_made_once(self, tmp_path):
        store, calls = Store(tmp_path), []

        def work(folder):
            calls.append(folder)
            (folder / "file").write_text("content")
            return {"value": (1, 2)}

        first, second = (store.make("kind", {"a": 1}, work) for _ in range(2))
        assert len(calls) == 1 and not calls[0].exists()
        assert first["value"] == second["value"] == [1, 2]
        assert (first["cached"], second["cached"]) == (False, True)
        assert (Path(first["folder"]) / "file").read_text() == "content"
        assert store.make("kind", {"a": 2}, work)["folder"] != first["folder"]

    def test_nothing_of_what_failed(self, tmp_path):
        def work(folder):
            (folder / "half").write_text("")
            raise RuntimeError("stop")

        with pytest.raises(RuntimeError):
            Store(tmp_path).make("kind", {}, work)
        assert list((tmp_path / "kind").iterdir()) == []

    @pytest.mark.parametrize("damage", ["", "{", "[]", '{"inputs": {"a": 2}, "result": {}}'])
    def test_damaged_is_made_again(self, tmp_path, damage):
        store = Store(tmp_path)
        made = store.make("kind", {"a": 1}, lambda _: {"value": 1})
        (Path(made["folder"]) / "result.json").write_text(damage)
        again = store.make("kind", {"a": 1}, lambda _: {"value": 2})
        assert again["value"] == 2 and not again["cached"]
        assert store.known("kind", {"a": 1}) == {"value": 2}

    def test_who_is_first_stays(self, tmp_path):
        store = Store(tmp_path)

        def work(folder):
            store.make("kind", {}, lambda _: {"value": "first"})
            return {"value": "second"}

        assert store.make("kind", {}, work)["value"] == "first"

    def test_reader(self, tmp_path):
        store = Store(tmp_path)
        with pytest.raises(Unknown):
            store.reader().make("kind", {}, lambda _: {})
        store.make("kind", {}, lambda _: {"value": 1})
        assert store.reader().make("kind", {}, lambda _: {})["value"] == 1

    def test_leftovers_of_the_dead(self, tmp_path):
        old, new = tmp_path / "kind" / "making-1", tmp_path / "kind" / "making-2"
        for folder in (old, new):
            folder.mkdir(parents=True)
        os.utime(old, (1, 1))
        Store(tmp_path).clean()
        assert not old.exists() and new.exists()

    def test_digests(self):
        assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1})
        made = made_with(("triodia_hw", "triodia_sim"), ("numpy",))
        assert set(made) == {"triodia_hw", "triodia_sim", "numpy"}
        assert made["triodia_hw"] != made["triodia_sim"]


def test_spread():
    assert [spread(9, n) for n in (0, 1, 2, 3, 20)] == [[], [0], [0, 8], [0, 4, 8], [*range(9)]]


def test_pareto():
    points = [(3, 0.5), (1, 0.2), (2, 0.4), (2, 0.1), (4, 0.5), (5, 0.9)]
    assert pareto(points) == [(1, 0.2), (2, 0.4), (3, 0.5), (5, 0.9)]


def test_csv():
    rows = [
        {"board": "b", "parameters": {}, "cosim": {"words": 3}},
        {"board": "c", "luts": 1, "cosim": None},
    ]
    read = list(csv.DictReader(table(rows).splitlines()))
    assert read == [
        {"board": "b", "cosim_words": "3", "luts": ""},
        {"board": "c", "cosim_words": "", "luts": "1"},
    ]


def test_a_killed_worker_loses_nothing(tmp_path):
    """One of two processes dies in mid-sweep; the rows are those of an undisturbed one."""
    cells = grid(SMALLEST, {"synapses": [1.0, 0.5], "seed": [0, 1]})
    how = {"confirm": 0, "simulator": "icarus", "build": False, "workers": 2}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        lines = []

        def progress(line):
            if not lines:
                os.kill(cluster.workers[0].pid, signal.SIGKILL)
            lines.append(line)

        address = cluster.scheduler_address
        store = Store(tmp_path / "a")
        rows = explore(cells, store, scheduler=address, progress=progress, **how)
        assert len(lines) == 8  # each network and each machine, once
        for kind in ("trained", "machine"):
            made = list((tmp_path / "a" / kind).glob("*/result.json"))
            assert len(made) == 4
        again = explore(cells, store, scheduler=None, progress=lines.append, **how)
        assert again == rows and len(lines) == 8  # all known: nothing was done
        other = Store(tmp_path / "b")
        undisturbed = explore(cells, other, scheduler=address, progress=lines.append, **how)

    def plain(rows):
        return json.loads(json.dumps(rows).replace(str(tmp_path / "b"), str(tmp_path / "a")))

    assert plain(undisturbed) == plain(rows)
    assert [(row["choices"]["synapses"], row["choices"]["seed"]) for row in rows] == [
        (1.0, 0),
        (1.0, 1),
        (0.5, 0),
        (0.5, 1),
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_workers_started_ends(tmp_path, error):
    """An interrupted worker leaves nothing; after an error what it made may say why."""
    store = Store(tmp_path)

    def stage():
        def work(folder):
            tool = subprocess.Popen(["sleep", "600"])
            (folder / "pid.part").write_text(str(tool.pid))
            (folder / "pid.part").rename(folder / "pid")
            tool.wait()

        store.make("kind", {}, work)

    with pytest.raises(error), _client(1, None, store) as client:
        future = client.submit(stage)
        while not (made := list(tmp_path.glob("kind/making-*/pid"))):
            assert future.status != "error"
            time.sleep(0.05)
        tool = psutil.Process(int(made[0].read_text()))
        raise error
    assert psutil.wait_procs([tool], timeout=10)[1] == []
    if error is KeyboardInterrupt:
        assert list((tmp_path / "kind").iterdir()) == []


def test_interrupted_as_by_a_terminal(tmp_path):
    """Ctrl-C goes to all processes; one sentence, and the next run goes on from what is done."""
    options = "--seeds 0,1,2 --task digits --neurons 16 --lanes 1 --epochs 1 --samples 1"
    options += " --synapses 1 --no-build --no-evidence --confirm 0 --workers 1"
    # In a shell's background Ctrl-C is ignored, and so by all that is started there.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heard}; from triodia.cli.main import main; main()"
    start = [sys.executable, "-c", code, "compare"]
    command = [*start, "-o", str(tmp_path), *options.split()]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    lines = [first.stderr.readline()]
    os.killpg(first.pid, signal.SIGINT)
    lines += first.communicate(timeout=60)[1].splitlines()
    assert first.returncode == 130
    assert "1 of 6: train" in lines[0] and lines[-1] == "triodia: interrupted"
    assert not any("Traceback" in line for line in lines)
    assert not (tmp_path / "results.json").exists()
    done = len(list((tmp_path / "cache").glob("*/*/result.json")))
    assert 1 <= done < 6
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert second.stderr.count("(known)") == done
    assert len(json.loads((tmp_path / "results.json").read_text())["rows"]) == 3
