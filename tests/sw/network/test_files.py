import json
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from tests.sw.network.test_network import task_network
from triodia.network import files
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia_hw.errors import TriodiaError, WriteError
from triodia_hw.files import write_atomic


def equal(a, b):
    left, right = files._values(a), files._values(b)
    assert left.keys() == right.keys()
    for name, x in left.items():
        y = right[name]
        same = np.array_equal(x, y) and x.dtype == y.dtype if isinstance(x, np.ndarray) else x == y
        assert same, name


def message(path):
    with pytest.raises(TriodiaError) as caught:
        load_network(path)
    return str(caught.value)


@pytest.mark.parametrize("make", [lambda: new_network(7, 1), lambda: task_network(tau_syn_mean=3)])
def test_round_trip_is_exact(make, tmp_path):
    net, path = make().with_provenance(command="x", value=0.1), tmp_path / "a.net"
    save_network(net, path)
    equal(load_network(path), net)


def test_same_network_same_bytes(tmp_path):
    contents = set()
    for turn in range(8):
        save_network(task_network(), tmp_path / f"{turn}")
        contents.add((tmp_path / f"{turn}").read_bytes())
    assert len(contents) == 1


def test_missing_file(tmp_path):
    assert "must be a network file that can be read" in message(tmp_path / "none")
    assert "must be a network file that can be read" in message(tmp_path)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 10**6))
def test_truncated_files_are_refused(cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("cut") / "a.net"
    save_network(new_network(5, 1), path)
    content = path.read_bytes()
    path.write_bytes(content[: cut % len(content)])
    assert "damaged" in message(path)


@settings(max_examples=300, deadline=None)
@given(bit=st.integers(0, 10**6))
def test_flipped_bits_are_refused(bit, tmp_path_factory):
    path = tmp_path_factory.mktemp("flip") / "a.net"
    save_network(new_network(5, 1), path)
    content = bytearray(path.read_bytes())
    bit %= 8 * len(content)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    assert str(path) in message(path)


def test_files_of_before_the_check_sum_are_read(tmp_path):
    net, path = new_network(5, 1), tmp_path / "a.net"
    header = {name: files._values(net).get(name) for name in files._PLAIN}
    header |= {"format": "triodia-network", "schema": 1}
    path.write_bytes(
        save(files._arrays(files._values(net)), metadata={"triodia": json.dumps(header)})
    )
    equal(load_network(path), net)


@settings(max_examples=60, deadline=None)
@given(junk=st.binary(max_size=200))
def test_foreign_files_are_refused(junk, tmp_path_factory):
    path = tmp_path_factory.mktemp("junk") / "a.net"
    path.write_bytes(junk)
    assert str(path) in message(path)


def test_other_kinds_and_versions(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(save({"x": np.zeros(1)}))
    assert message(path) == f"{path} must be a triodia-network file, not None"
    header = {"format": "triodia-network", "schema": 2}
    path.write_bytes(save({"x": np.zeros(1)}, metadata={"triodia": json.dumps(header)}))
    assert message(path).startswith(f"{path} has schema 2 and this version reads 1; update")


def test_wrong_values_inside_are_refused(tmp_path):
    path = tmp_path / "a"
    net = new_network(3, 0)
    header = {name: files._values(net).get(name) for name in files._PLAIN}
    header |= {"format": "triodia-network", "schema": 1}
    arrays = files._arrays(files._values(net)) | {"tau_mem": np.zeros(3, np.float32)}
    path.write_bytes(save(arrays, metadata={"triodia": json.dumps(header)}))
    assert message(path).startswith(f"{path} is damaged: tau_mem must be above 0")


def test_write_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_atomic(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WriteError, match=r"a must be a file that can be written \(disk full\)$"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]
    with pytest.raises(WriteError, match="must be in a folder that can be written"):
        write_atomic(tmp_path / "no" / "a", b"")


def test_links_are_followed_and_devices_left_alone(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a")
    for content in (b"new", b"again"):
        write_atomic(tmp_path / "link", content)
        assert (tmp_path / "there" / "a").read_bytes() == content
    assert (tmp_path / "link").is_symlink() and os.listdir(tmp_path / "there") == ["a"]
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "to"):
        with pytest.raises(WriteError, match="must be a regular file, not a folder, device or"):
            write_atomic(tmp_path / name, b"")
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "to").is_symlink()


def test_files_are_readable_by_others(tmp_path):
    umask = os.umask(0o022)
    try:
        write_atomic(tmp_path / "a", b"")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_provenance_must_be_json(tmp_path):
    with pytest.raises(TriodiaError, match=r"^provenance must be plain JSON values"):
        save_network(new_network(3, 0).with_provenance(x=np.zeros(2)), tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_a_file_of_version_0_1_is_read():
    net = load_network(Path(__file__).parents[2] / "data" / "network-1.net")
    assert (net.neurons, net.inputs, net.readouts, net.task) == (12, 12, 9, "japanese-vowels")
    assert net.tau_syn is not None and net.head.input_clip == 4
