"""Hostile files of every kind are read or refused in one sentence; `make fuzz` tries many more."""

import io
import json
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


def test_a_heap_that_does_not_end(tmp_path):
    """HDF5 itself never returns from reading it."""
    path = events(tmp_path / "a.h5", y="words")
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    free = heap + 16 + 16 + 8  # after one object of at most 8 bytes
    assert content[free : free + 2] == b"\0\0" and any(content[free + 8 : free + 16])
    content[free + 8 : free + 16] = bytes(8)
    path.write_bytes(content)
    assert f"the heap at byte {heap} is damaged" in refused(path)


def test_hdf5_with_a_cycle(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("spikes")
        group["again"] = group
        with pytest.raises(ValueError, match="/spikes/again is in the file twice"):
            check_hdf5(file)


def deep(content, marked):
    """``content`` with 100,000 brackets in place of the text ``marked``."""
    assert marked in content
    return content.replace(marked, b"[" * 100_000, 1)


def safetensors(header):
    text = json.dumps({"__metadata__": {"triodia": header}}).encode()
    return len(text).to_bytes(8, "little") + text


def archive(**arrays):
    held = io.BytesIO()
    np.savez(held, **arrays)
    return held.getvalue()


def array(value):
    held = io.BytesIO()
    np.save(held, value)
    return held.getvalue()


LABELS = {"times": [0.0], "offsets": [0, 1], "y": [0]}
FOUND = {
    "deep network": (
        "network",
        lambda _: safetensors("[" * 100_000),
        "is damaged or not a network",
    ),
    "deep image": ("image", lambda _: safetensors("[" * 100_000), "is damaged or not an image"),
    "deep board": ("board", lambda s: deep(s, b"true"), "it has 1"),
    "a board in depth": ("board", lambda _: b"a = " + b"[" * 9_000, "it is not TOML"),
    "deep facts": ("facts", lambda s: deep(s, b"true"), "its reset cannot be read; export again"),
    "facts without reset": ("facts", lambda _: b"{}", "its reset cannot be read; export again"),
    "facts in Latin": ("facts", lambda _: b"\xff", "its reset cannot be read; export again"),
    "a build of no family": (
        "build",
        lambda s: s.replace(b'"family": "ecp5"', b'"family": []'),
        "must be of ecp5, ice40, gowin, gw5a, not of []",
    ),
    "a log of one word": ("power", lambda _: b"time,watts\n" + b"1" * 200_000 + b"\n", "is no CSV"),
    "deep log": ("power", lambda _: b'{"a":' + b"[" * 100_000 + b"\n", "not a JSON object"),
    "a great number": ("power", lambda _: b'{"time":1%s}\n' % (b"0" * 400), "`time` must be"),
    "channels of no kind": (
        "samples",
        lambda _: archive(channels=np.zeros(1, "V4"), **LABELS),
        "channels must be numbers, got |V4",
    ),
    "channels without number": (
        "samples",
        lambda _: archive(channels=[np.nan], **LABELS),
        "channels must be whole numbers, got float64",
    ),
    "an open bracket": (
        "gestures",
        lambda s: s.replace(b"(50, 4), }", b"(50, 4,   "),
        "cannot be read as events",
    ),
    "a pixel nowhere": (
        "gestures",
        lambda _: array(np.full((2, 4), np.nan)),
        "must hold numbers below 1e+15, without NaN",
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_found_by_fuzzing(name, tmp_path):
    kind, change, message = FOUND[name]
    kind = KINDS[kind]
    content = change(kind.seeds(tmp_path)[0])
    folder = tmp_path / "hostile"
    with limited():
        assert check(kind, folder, content) is False
        with pytest.raises(TriodiaError) as caught:
            kind.load(folder)
    assert message in str(caught.value)


def test_damaged_results_are_made_again(tmp_path):
    assert KINDS["result"].load(tmp_path) is None
    content = b'{"inputs":' + b"[" * 100_000
    assert check(KINDS["result"], tmp_path, content) and KINDS["result"].load(tmp_path) is None


def test_verilog_in_another_encoding(tmp_path):
    content = KINDS["verilog"].seeds(tmp_path)[0] + b"// \xe9\n"
    assert check(KINDS["verilog"], tmp_path, content)


GRAPH = [
    ("nodes/input/shape", ["a"], "the shape of the Input must be above 0, not [b'a']"),
    ("nodes/w_out/bias", "Conv2d", "bias of node 'w_out' must be numbers, not "),
    ("nodes/w_out/bias", h5py.Empty("f4"), "bias of node 'w_out' must be numbers, not Empty("),
    ("nodes/standardise/metadata", [1, 2], "metadata of node 'standardise' must be entries with"),
    ("nodes/standardise/bias", [1.0, 2.0], "bias of node 'standardise' must have 3 values, not 2"),
    ("nodes/w_in/weight", h5py.SoftLink("/node/nodes"), "/node/nodes/w_in/weight is a link"),
]


@pytest.mark.parametrize(("entry", "value", "message"), GRAPH)
def test_graphs_found_by_fuzzing(entry, value, message, tmp_path):
    kind = KINDS["nir"]
    held = io.BytesIO(kind.seeds(tmp_path)[0])
    with h5py.File(held, "r+") as file:
        del file["node"][entry]
        file["node"][entry] = value
    folder = tmp_path / "hostile"
    assert check(kind, folder, held.getvalue()) is False
    with pytest.raises(TriodiaError) as caught:
        kind.load(folder)
    assert message in str(caught.value)
