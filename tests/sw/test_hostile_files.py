"""Hostile files of every kind are read or refused in one sentence; `make fuzz` tries many more."""

import random

import h5py
import numpy as np
import pytest

from tests.support.hostile.check import Finding, check, limited
from tests.support.hostile.kinds import KINDS, Kind
from tests.support.hostile.mutate import raw
from triodia.hdf5 import check_hdf5
from triodia.tasks.own import own_task
from triodia_hw.errors import TriodiaError

TRIES = 40
SLOW = {"nir": 8}  # tries where a file takes longer


@pytest.mark.parametrize("name", KINDS)
def test_read_or_refused(name, tmp_path):
    """Valid files are taken, and of changed ones some are refused."""
    kind, chance, taken = KINDS[name], random.Random(name), 0
    seeds = kind.seeds(tmp_path)
    folder = tmp_path / "hostile"
    for content in seeds:
        assert check(kind, folder, content)
    with limited():
        for _ in range(SLOW.get(name, TRIES)):
            taken += check(kind, folder, kind.change(chance.choice(seeds), chance))
            check(kind, folder, raw(chance.choice(seeds), chance))
    assert name in ("verilog", "result") or taken < SLOW.get(name, TRIES)


def write(folder):
    (folder / "more").write_text("")


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (lambda folder: {}["key"], "KeyError"),
        (lambda folder: bytes(3 << 30), "MemoryError"),
        (lambda folder: int("[") if folder.exists() else None, "ValueError"),
        (write, "reading wrote something"),
    ],
)
def test_what_is_a_finding(load, message, tmp_path):
    with limited(), pytest.raises(Finding, match=message):
        check(Kind("x", None, load, raw), tmp_path, b"")


def refused(path):
    with pytest.raises(TriodiaError) as caught:
        own_task(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def events(path, **change):
    """A file of events in our format, some of its entries changed."""
    arrays = {"times": [0.0, 1.0], "channels": [0, 1], "offsets": [0, 1, 2], "y": [0, 1]} | change
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            file[name] = value
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": "words"}, "times must be numbers, got |S5"),
        ({"times": h5py.Empty("f4")}, "times must be numbers, got object"),
        ({"channels": [[0, 1]]}, "channels must be a list, got the shape (1, 2)"),
        ({"y": [0, 1 << 60]}, "has class 1, and classes go up to 1152921504606846976"),
        ({"y": h5py.SoftLink("/y")}, "/y is a link; copy what it leads to"),
        ({"y": h5py.ExternalLink("/etc/passwd", "y")}, "/y is a link; copy what it leads to"),
    ],
)
def test_events_that_are_none(change, message, tmp_path):
    assert message in refused(events(tmp_path / "a.h5", **change))


def test_hdf5_that_is_larger_than_its_file(tmp_path):
    path = events(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("lengths", (1 << 40,), "f8", chunks=(1024,))
    assert "/lengths has 8796093022208 bytes, of which 0 are in the file" in refused(path)
    with h5py.File(path, "a") as file:
        del file["lengths"]
        zeros = np.zeros(1 << 21)
        file.create_dataset("zeros", data=zeros, compression=9)  # as small as deflate makes it
        check_hdf5(file)


def test_hdf5_with_a_cycle(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("spikes")
        group["again"] = group
        with pytest.raises(ValueError, match="/spikes/again is in the file twice"):
            check_hdf5(file)
