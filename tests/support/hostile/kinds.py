"""Kinds of files that a user passes to commands: valid examples, and the loaders that read them."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from tests.support import recordings
from tests.support.hostile import mutate
from tests.support.networks import random_image
from tests.sw.network.test_network import task_network
from triodia.host.power import read_log
from triodia.lab.store import Store
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.nir.exporter import export_nir
from triodia.nir.importer import import_nir
from triodia.tasks.own import doubts, load_samples, own_task
from triodia.tasks.sensors import read_gestures, read_nmnist
from triodia_boards.datafile import new_board, read_board
from triodia_boards.flow.manifest import Manifest
from triodia_hw.compile.loading import load_bytes
from triodia_hw.compile.options import DEFAULT
from triodia_hw.export.folder import export_folder
from triodia_hw.machine.image import load_image, save_image
from triodia_sim.folder import check_exported, starts_late

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    ``place`` : its path within a folder, which holds nothing else of importance. ``seeds`` : makes
    valid files in an empty folder, and returns their contents. ``load`` : reads the folder as
    commands do. ``change`` : a change that keeps the file's outer form, by a seeded generator.
    """

    place: str
    seeds: Callable[[Path], list[bytes]]
    load: Callable[[Path], object]
    change: Callable[[bytes, object], bytes]


def _contents(folder, *names):
    return [(folder / name).read_bytes() for name in names]


def _networks(folder):
    save_network(new_network(7, 1), folder / "a")
    save_network(task_network(tau_syn_mean=3), folder / "b")
    return _contents(folder, "a", "b")


def _images(folder):
    save_image(random_image(1, lanes=1), folder / "a")
    more = {"synaptic": True, "refractory_bits": 2, "bias_bits": 8, "reset": "value"}
    save_image(random_image(2, lanes=2, **more), folder / "b")
    return _contents(folder, "a", "b")


def _load_image(folder):
    image = load_image(folder / "x.image")
    load_bytes(image)


def _graphs(folder):
    export_nir(task_network(), folder / "a.nir")
    export_nir(task_network(tau_syn_mean=3), folder / "b.nir")
    return [mutate.sound(content) for content in _contents(folder, "a.nir", "b.nir")]


def _steps_of_events():
    found, labels = recordings.moving(3, 0)
    return recordings.ours([(np.floor(times * 100), channels) for times, channels in found], labels)


def _samples(folder):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(4, 5, 3)), np.arange(4) % 2
    np.savez(folder / "a.npz", x=x, y=y, lengths=np.array([5, 4, 3, 5]))
    np.savez(folder / "b.npz", x=x, y=y, x_test=x[:2], y_test=y[:2])
    np.savez_compressed(folder / "c.npz", **_steps_of_events())
    return _contents(folder, "a.npz", "b.npz", "c.npz")


def _load_samples(path):
    task = own_task(path)
    doubts(task.load(), task.classes)
    load_samples(path, inputs=task.inputs, classes=task.classes, around=(1, 2))


def _events(folder):
    recordings.shd_file(folder / "a.h5", 3, 0)
    with h5py.File(folder / "b.h5", "w") as file:
        for name, value in _steps_of_events().items():
            file[name] = value
    return [mutate.sound(content) for content in _contents(folder, "a.h5", "b.h5")]


def _digits(folder):
    recordings.nmnist_folder(folder, 1, 1)
    return _contents(folder, "Train/0/00000.bin")


def _load_digits(folder):
    read_nmnist(folder / "Train", 1000.0)


def _gestures(folder):
    recordings.gesture_folder(folder, 1)
    return _contents(folder, "ibmGestureTrain/user01_led/0.npy")


def _load_gestures(folder):
    read_gestures(folder / "ibmGestureTrain", 1000.0)


def _boards(folder):
    text, pins = new_board("mine"), 0
    while "CHANGE_ME" in text:
        text, pins = text.replace("CHANGE_ME", f"A{pins}", 1), pins + 1
    return [text.encode(), new_board("mine", "ulx3s-25f").encode()]


def _manifests(folder):
    p = random_image(1, lanes=1).params
    (folder / "top.config").write_text("")
    manifest = Manifest.of(p, DEFAULT, folder, board="ulx3s-25f", seed=1, router="router2")
    manifest.save(folder)
    assert asdict(p) | {"delays": []} == manifest.parameters
    return _contents(folder, "build.json")


@cache
def _exported():
    """Facts and the beginning of the Verilog that `triodia verilog` writes."""
    with TemporaryDirectory() as folder:
        export_folder(random_image(1, lanes=1), folder, inline=True)
        facts, verilog = _contents(Path(folder), "triodia.json", "triodia.v")
    return facts, verilog[:20_000]


def _logs(folder):
    lines = ["time,watts", "0.5,1.25", "1.5,2", "2024-05-01T10:00:00+02:00,0.1", ""]
    rows = [{"time": k, "volts": 5, "current_ma": 20.5} for k in range(4)]
    return ["\n".join(lines).encode(), "".join(json.dumps(r) + "\n" for r in rows).encode()]


def _results(folder):
    return [json.dumps({"inputs": {"a": 1}, "result": {"b": [1, 2.5]}, "seconds": 1}).encode()]


_DIGEST = random_image(1, lanes=1).digest()
_STORED = str(Path("kind") / Store(Path(".")).folder("kind", {"a": 1}).name / "result.json")

KINDS = {
    "network": Kind("x.net", _networks, lambda f: load_network(f / "x.net"), mutate.network),
    "image": Kind("x.image", _images, _load_image, mutate.image),
    "nir": Kind("x.nir", _graphs, lambda f: import_nir(f / "x.nir"), mutate.hdf5),
    "samples": Kind("x.npz", _samples, lambda f: _load_samples(f / "x.npz"), mutate.archive),
    "events": Kind("x.h5", _events, lambda f: _load_samples(f / "x.h5"), mutate.hdf5),
    "digits": Kind("Train/0/0.bin", _digits, _load_digits, mutate.raw),
    "gestures": Kind("ibmGestureTrain/a/0.npy", _gestures, _load_gestures, mutate.raw),
    "board": Kind("x.toml", _boards, lambda f: read_board(f / "x.toml"), mutate.text),
    "build": Kind("build.json", _manifests, lambda f: Manifest.load(f).machine(), mutate.json_text),
    "facts": Kind(
        "triodia.json",
        lambda _: [_exported()[0]],
        lambda f: starts_late(f, "triodia"),
        mutate.json_text,
    ),
    "verilog": Kind(
        "triodia.v", lambda _: [_exported()[1]], lambda f: check_exported(f, _DIGEST), mutate.text
    ),
    "power": Kind("x.log", _logs, lambda f: read_log(f / "x.log"), mutate.text),
    "result": Kind(_STORED, _results, lambda f: Store(f).known("kind", {"a": 1}), mutate.json_text),
}
