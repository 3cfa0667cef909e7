"""The search for a board's best design, over a known landscape."""

import re

import numpy as np
import pytest

from tests.support.commands import call
from triodia.lab import search as fit
from triodia.lab.chain import Explored
from triodia.lab.grid import Cell, grid
from triodia.lab.rows import Row
from triodia.lab.search import AXES, Goal, fit_board
from triodia.network.starts import dense_start, first_network
from triodia_hw.errors import TriodiaError

COMMON = {"board": "ulx3s-12f", "epochs": 100}


class Landscape:
    """Metrics that grow with the network and with training; machines with room for ``room``."""

    def __init__(self, room=1e9, clock=100.0, logic=8):
        self.room, self.clock, self.logic, self.built = room, clock, logic, []

    def row(self, cell, build):
        synapses = cell.neurons**2 * cell.synapses
        size = synapses * cell.weight_bits
        metric = (1 - 8 / synapses**0.5) * (1 - 1 / (cell.epochs + 2)) - 0.1 / cell.weight_bits
        row = Row.of_cell(
            cell,
            fits=size <= self.room,
            reason=None if size <= self.room else "too large",
            blocks_model=size,
            synapses_stored=int(synapses),
            metric_integer=metric,
            cycles_per_sample=100 + synapses / cell.lanes,
        )
        if build:
            self.built.append(cell)
            row.fits = cell.lanes <= self.logic
            row.fmax_mhz, row.blocks, row.mismatches = self.clock, size, 0
            row.us_per_sample = row.cycles_per_sample / self.clock
        return row

    def explore(self, cells, store, *, confirm, simulator, build, **how):
        assert confirm == (len(cells) if build else 0)
        how["progress"](50, 100, "")
        return Explored([self.row(cell, build) for cell in cells], 0.0)


def search(monkeypatch, land, goal=None):
    monkeypatch.setattr(fit, "explore", land.explore)
    shown: list[int] = []
    how = {"workers": 1, "scheduler": None, "progress": lambda done, *_: shown.append(done)}
    found = fit_board(COMMON, AXES, goal or Goal(), None, **how)
    assert shown == sorted(shown) and shown[-1] <= 100  # one bar for the whole search
    return found


def everything(land):
    cells = fit.grid(COMMON, AXES)
    return [land.row(cell, False) for cell in cells]


def test_best_metric(monkeypatch):
    """The search finds the grid's best design in a fraction of the epochs."""
    for room in (1e9, 60_000):
        land = Landscape(room)
        result = search(monkeypatch, land)
        best = max((r for r in everything(land) if r.fits), key=lambda r: r.metric_integer)
        chosen = result["chosen"]
        assert chosen.metric_integer == best.metric_integer
        assert chosen.choices["epochs"] == 100 and chosen.choices["lanes"] == 8
        assert result["epochs_spent"] * 4 < result["epochs_of_grid"] == 100 * 15
        assert result["rungs"][0] == {"epochs": 4, "networks": 15, "designs": 120}
    assert "of 120 designs do not fit" in result["sentence"]


def test_too_much_logic(monkeypatch):
    """Too much logic shows in the build; the search then takes fewer PEs for the same network."""
    land = Landscape(logic=2)
    result = search(monkeypatch, land)
    assert [cell.lanes for cell in land.built] == [8, 4, 2]
    assert result["chosen"].choices["lanes"] == 2
    assert "with 8 and 4 lanes it takes more logic than there is" in result["sentence"]
    assert len({(cell.neurons, cell.synapses) for cell in land.built}) == 1


def test_metric_floor(monkeypatch):
    """With a metric floor, the search finds the fastest design that reaches it."""
    land = Landscape()
    chosen = search(monkeypatch, land, Goal(floor=0.85))["chosen"]
    assert chosen.metric_integer >= 0.85
    enough = [r for r in everything(land) if r.metric_integer >= 0.85]
    assert chosen.cycles_per_sample == min(r.cycles_per_sample for r in enough)


def test_latency_ceiling(monkeypatch):
    land = Landscape()
    chosen = search(monkeypatch, land, Goal(ceiling=20.0))["chosen"]
    assert chosen.us_per_sample <= 20
    rows = [r for r in everything(land) if r.cycles_per_sample / 100 <= 20]
    assert chosen.metric_integer >= max(r.metric_integer for r in rows) - 0.02


def test_slower_than_thought(monkeypatch):
    """If place-and-route misses the ceiling, the next designs are tried, then an error says so."""
    land = Landscape(clock=95.0)
    chosen = search(monkeypatch, land, Goal(ceiling=20.0))["chosen"]
    assert chosen.us_per_sample <= 20
    land = Landscape(clock=10.0)
    text = (
        r"^no design found holds at most 20 µs per sample; the nearest is \d+ neurons with \S+ of "
        r"their synapses, \d bits, \d lanes with 0\.\d+ and \d+\.\d µs per sample$"
    )
    with pytest.raises(TriodiaError, match=text):
        search(monkeypatch, land, Goal(ceiling=20.0))
    # Of the machines of the network that was left, those that were thought fast enough.
    (last,) = {(cell.neurons, cell.synapses) for cell in land.built}
    rows = [r for r in everything(land) if r.cycles_per_sample / 100 <= 20]
    mine = [r for r in rows if (r.choices["neurons"], r.choices["synapses"]) == last]
    assert len(land.built) == min(3, len(mine)) > 1


def test_floor_out_of_reach(monkeypatch):
    text = r"^no design found holds a metric of at least 0\.999; the nearest is 256 neurons with 1 "
    with pytest.raises(TriodiaError, match=text):
        search(monkeypatch, Landscape(), Goal(floor=0.999))


def test_nothing_fits(monkeypatch):
    text = (
        r"^no design fits; the nearest is 64 neurons with 0\.06 of their synapses, 4 bits, 1 lanes:"
        r" too large; ask for fewer neurons or synapses$"
    )
    with pytest.raises(TriodiaError, match=text):
        search(monkeypatch, Landscape(room=10))


def test_one_goal(capsys, tmp_path):
    arguments = ("--metric-floor", 0.9, "--latency-ceiling", 5)
    code, _, err = call(capsys, "fit", "-o", tmp_path / "out", *arguments)
    assert code == 2 and "ask for a metric floor or a latency ceiling, not for both" in err


def test_files_go_into_a_new_folder(capsys, tmp_path, monkeypatch):
    """Also where the finished steps are elsewhere."""
    row = Landscape().row(Cell(), True)
    for name in ("network", "image", "bitstream"):
        setattr(row, name, str(tmp_path / name))
    for name in ("network", "image", "bitstream"):
        (tmp_path / name).write_text(name)
    result = {"chosen": row, "designs": [row], "sentence": ""}
    monkeypatch.setattr("triodia.cli.fit.fit_board", lambda *_, **__: result)
    arguments = ("fit", "-o", tmp_path / "new", "--cache", tmp_path / "cache", "--json")
    assert call(capsys, *arguments)[0] == 0
    made = {file.name: file.read_text() for file in (tmp_path / "new").iterdir()}
    assert made == {name: name for name in ("network", "image", "bitstream")}


def test_a_file_is_no_folder(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("triodia.cli.fit.fit_board", lambda *_, **__: 1 / 0)
    (tmp_path / "file").write_text("mine")
    code, _, err = call(capsys, "fit", "-o", tmp_path / "file")
    assert code == 2 and err.endswith("file is a file, not a folder; name another.\n")
    assert (tmp_path / "file").read_text() == "mine"


def test_layers_are_refused_before_anything_is_made(tmp_path, capsys):
    for layers, more, words in (
        ("8,0", (), "at least 2 neurons, got 8, 0"),
        ("8,8", ("--neurons", 16), "exclude each other"),
        ("a", (), "whole numbers separated by commas"),
        ("8,8", ("--method", "x"), "method must be one of"),
    ):
        for command in ("compare", "fit"):
            folder = tmp_path / command
            code, _, err = call(capsys, command, "-o", folder, "--layers", layers, *more)
            assert code == 2 and words in err and not folder.exists()
    with pytest.raises(TriodiaError, match="must be 30 together, not 24"):
        Cell(neurons=30, layers="16,8")


def test_cells_of_layers_start_from_them():
    net = dense_start(24, "16,8", 3)
    assert net.layers == (16, 8) and net.mask_rec[16:, :16].all()
    assert dense_start(24, "", 3).layer is None
    assert Cell(neurons=24, layers="16,8").network["layers"] == "16,8"


@pytest.mark.parametrize("layers", ["", "16,8"])
def test_cells_of_adaptive_neurons_start_from_them(layers):
    cells = grid({"neurons": 24, "layers": layers, "seed": 3}, {"adaptive": [0.0, 0.5]})
    none, half = (first_network(cell.network) for cell in cells)
    assert not none.adaptive and half.adaptive
    assert 6 < np.count_nonzero(half.jump) < 18
    assert np.array_equal(none.w_rec, half.w_rec)  # nothing else that is drawn changes


def test_bad_fraction_of_adaptive_neurons_is_refused(tmp_path, capsys):
    folder = tmp_path / "out"
    code, _, err = call(capsys, "compare", "-o", folder, "--adaptive", "0,1.5")
    assert code == 2 and "adaptive must be in 0..1, not 1.5" in err and not folder.exists()


@pytest.mark.parametrize("layers", ["", "16,8"])
def test_cells_with_delays_start_from_them(layers):
    cells = grid({"neurons": 24, "layers": layers, "seed": 3}, {"max_delay": [0, 5]})
    none, some = (first_network(cell.network) for cell in cells)
    assert none.delays == () and some.delays == (1, 2, 3, 4, 5)
    assert np.array_equal(none.w_rec, some.w_rec)  # nothing else that is drawn changes


@pytest.mark.parametrize(
    ("command", "given", "wrong"),
    [
        ("compare", "0,64", "64"),
        ("compare", "-1", "-1"),
        ("compare", "1.5", "'1.5'"),
        ("fit", "64", "64"),
    ],
)
def test_bad_delays_are_refused(command, given, wrong, tmp_path, capsys):
    folder = tmp_path / "out"
    code, _, err = call(capsys, command, "-o", folder, f"--max-delay={given}")
    assert code == 2 and re.search("max.delay`? must be", err)
    assert wrong in err and not folder.exists()
