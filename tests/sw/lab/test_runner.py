"""Grids of choices, and sweeps over them that lose nothing."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from dask.distributed import LocalCluster, as_completed

from tests.support.commands import call
from triodia.lab.chain import explore, spread
from triodia.lab.cluster import connect
from triodia.lab.compare import table
from triodia.lab.grid import Cell, grid, varying
from triodia.lab.report.charts import pareto
from triodia.lab.rows import Row
from triodia.lab.store import Store
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
        ({"task": "x"}, r"`--task` must be one of .*, got x"),
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
        (("--synapses", "1,x"), "`--synapses` must be numbers separated by commas, got '1,x'"),
        (("--lanes", "1.5"), "`--lanes` must be whole numbers separated by commas, got '1.5'"),
        (("--board", "x"), "board must be one of"),
        (("--scheduler", "tcp://127.0.0.1:1"), "must be the address of a running dask scheduler"),
    ],
)
def test_bad_options(capsys, tmp_path, option, text, monkeypatch):
    monkeypatch.setattr("triodia.lab.cluster._WAIT", 0.5)
    code, _, err = call(capsys, "compare", "-o", tmp_path / "out", *option)
    assert code == 2 and text in err and "Traceback" not in err


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_spread():
    assert [spread(9, n) for n in (0, 1, 2, 3, 20)] == [[], [0], [0, 8], [0, 4, 8], [*range(9)]]


def test_pareto():
    points = [(3, 0.5), (1, 0.2), (2, 0.4), (2, 0.1), (4, 0.5), (5, 0.9)]
    assert pareto(points) == [(1, 0.2), (2, 0.4), (3, 0.5), (5, 0.9)]


def test_csv():
    rows = [
        Row(board="b", parameters={"lanes": 1}, cosim={"words": 3}),
        Row(board="c", luts=1),
    ]
    one, two = csv.DictReader(table(rows).splitlines())
    assert (one["board"], one["cosim_words"], one["luts"]) == ("b", "3", "")
    assert (two["board"], two["cosim_words"], two["luts"]) == ("c", "", "1")
    assert not {"parameters", "cosim"} & set(one)


def test_a_killed_worker_loses_nothing(tmp_path):
    """One of two processes dies in mid-sweep; the rows equal those of an undisturbed sweep."""
    cells = grid(SMALLEST, {"synapses": [1.0, 0.5], "seed": [0, 1]})
    how = {"confirm": 0, "simulator": "icarus", "build": False, "workers": 2}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:
        killed = []

        def progress(done, total, remark):
            if not killed and remark[0] in "1234567":  # some steps are done, not all
                killed.append(cluster.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        address = cluster.scheduler_address
        store = Store(tmp_path / "a")
        rows = explore(cells, store, scheduler=address, progress=progress, **how).rows
        assert killed
        for kind in ("trained", "machine"):
            made = list((tmp_path / "a" / kind).glob("*/result.json"))
            assert len(made) == 4
        # All known: nothing is done, not even a cluster started.
        again = explore(cells, store, scheduler="tcp://127.0.0.1:1", progress=progress, **how).rows
        assert again == rows
        other = Store(tmp_path / "b")
        undisturbed = explore(cells, other, scheduler=address, progress=progress, **how).rows

    def plain(rows):
        text = json.dumps([row.json() | {"seconds": 0} for row in rows])
        return json.loads(text.replace(str(tmp_path / "b"), str(tmp_path / "a")))

    assert plain(undisturbed) == plain(rows)
    assert [(row.synapses_kept, row.seed) for row in rows] == [
        (1.0, 0),
        (1.0, 1),
        (0.5, 0),
        (0.5, 1),
    ]


def test_a_result_lost_before_it_is_taken(tmp_path, monkeypatch):
    """A worker ends a step and dies before its result is read: the step is waited for again."""
    lost = []

    class Losing(as_completed):
        def next_batch(self, block=True):
            batch = super().next_batch(block)
            if batch and not lost:
                lost.extend(batch)
                for future in batch:
                    state = future._state
                    self.loop.add_callback(state.lose)
                    self.loop.call_later(0.5, state.finish)
                wait_for(lambda: all(future.status == "lost" for future in batch))
            return batch

    monkeypatch.setattr("triodia.lab.runner.as_completed", Losing)
    cells = grid(SMALLEST, {"seed": [0]})
    how = {"confirm": 0, "simulator": "icarus", "build": False, "workers": 1}
    rows = explore(cells, Store(tmp_path), scheduler=None, progress=lambda *_: None, **how).rows
    assert lost and [row.seed for row in rows] == [0]


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

    with pytest.raises(error), connect(1, None, store) as client:
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
    """Ctrl-C reaches all processes; one sentence, and the next run continues."""
    options = "--seeds 0,1,2 --task digits --neurons 16 --lanes 1 --epochs 1 --samples 1"
    options += " --synapses 1 --no-build --no-evidence --no-equal-speed --confirm 0 --workers 1"
    # In a shell's background Ctrl-C is ignored, and so by all that is started there.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heard}; from triodia.cli.main import main; main()"
    start = [sys.executable, "-c", code, "compare"]
    command = [*start, "-o", str(tmp_path), *options.split()]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    made = lambda: sorted((tmp_path / "cache").glob("*/*/result.json"))  # noqa: E731
    while not made():
        assert first.poll() is None
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGINT)
    lines = first.communicate(timeout=60)[1].splitlines()
    assert first.returncode == 130
    assert lines[-1] == "triodia: interrupted"
    assert not any("Traceback" in line for line in lines)
    assert not (tmp_path / "results.json").exists()
    done = {path: path.stat().st_mtime_ns for path in made()}
    assert 1 <= len(done) < 6
    subprocess.run(command, capture_output=True, check=True)
    assert {path: path.stat().st_mtime_ns for path in made() if path in done} == done
    assert len(made()) == 6
    assert len(json.loads((tmp_path / "results.json").read_text())["rows"]) == 3
