import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from tests.support.networks import random_image
from triodia_hw.errors import ImageError, WriteError
from triodia_hw.machine import image as image_module
from triodia_hw.machine.image import Image, load_image, save_image

META = {"task": "digits", "scales": [0.1, 1e-300], "notes": {"2": None, "10": True}}


@pytest.fixture
def image():
    return replace(random_image(3, lanes=2, refractory_bits=2), meta=META)


@pytest.fixture
def path(tmp_path, image):
    save_image(image, tmp_path / "net.image")
    return tmp_path / "net.image"


def same(a, b):
    arrays = [getattr(x, name) for x in (a, b) for name in ("row_start", "target", "weight")]
    for x, y in zip(arrays[:3], arrays[3:], strict=True):
        assert x.tolist() == y.tolist()
    assert a.slot.tolist() == b.slot.tolist()
    for name, values in asdict(a.neurons).items():
        assert getattr(b.neurons, name).dtype == values.dtype
        assert getattr(b.neurons, name).tolist() == values.tolist(), name
    assert (a.params, a.meta, a.digest()) == (b.params, b.meta, b.digest())


@pytest.mark.parametrize(
    "case",
    [
        {"lanes": 1},
        {"lanes": 5, "synaptic": True, "reset": "value", "bias_bits": 7, "state_bits": 24},
        {"lanes": 2, "adaptive": True},
        {"lanes": 2, "delays": (1, 63)},
        {"lanes": 2, "density": 0.0},
    ],
)
def test_round_trip(tmp_path, case):
    image = random_image(1, **case)
    save_image(image, tmp_path / "x")
    same(image, load_image(tmp_path / "x"))


def test_equal_images_are_equal_bytes(tmp_path, image, path):
    for k in range(8):  # safetensors writes several metadata keys in random order
        save_image(load_image(path), tmp_path / str(k))
        assert (tmp_path / str(k)).read_bytes() == path.read_bytes()
    same(image, load_image(path))


def test_meta_keys_become_text(tmp_path, image):
    save_image(replace(image, meta={2: "a", 10: "b"}), tmp_path / "x")
    assert load_image(tmp_path / "x").meta == {"2": "a", "10": "b"}


def refused(path, text=r"\S"):
    """``path`` is refused with one sentence that begins with its name."""
    with pytest.raises(ImageError, match=rf"^{path} {text}") as caught:
        load_image(path)
    assert "\n" not in str(caught.value)


def test_damage(path):
    """Single-bit errors are detected anywhere in the file; a sample of all."""
    good, rng = path.read_bytes(), np.random.default_rng(0)
    header = 8 + int.from_bytes(good[:8], "little")
    bits = [
        *range(64),
        *rng.integers(64, 8 * header, 500),
        *rng.integers(8 * header, 8 * len(good), 300),
    ]
    for bit in map(int, bits):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        refused(path)


def test_truncated(path):
    good = path.read_bytes()
    for size in (0, 1, 7, 8, 9, 100, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:size])
        refused(path, r"is damaged or not an image \(.+\)$")
    path.write_bytes(good + b"\0")
    refused(path, r"is damaged or not an image \(.+\)$")


def test_not_an_image(tmp_path):
    foreign, zeros = tmp_path / "foreign", {"x": np.zeros(3, np.float32)}
    kinds = [
        (None, "None"),
        ({"format": "pt"}, "None"),
        ({"triodia": '{"format": "triodia-network"}'}, "'triodia-network'"),
        ({"triodia": "[1]"}, "None"),
    ]
    for metadata, kind in kinds:
        foreign.write_bytes(save(zeros, metadata))
        refused(foreign, rf"is not a machine image \(format {kind}\)$")
    foreign.write_bytes(save(zeros, {"triodia": "{"}))
    refused(foreign, r"is damaged or not an image \(.+\)$")
    foreign.write_text("a text that is long enough to have a header of its own, one would think")
    refused(foreign, r"is damaged or not an image \(.+\)$")


def test_missing_and_folder(tmp_path):
    refused(tmp_path / "none", r"does not exist; `triodia quantize` makes an image$")
    refused(tmp_path, r"is a folder; name the image file in it$")


def forged(path, change):
    """File with another header; ``change`` edits the header and the arrays in place."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["triodia"])
    arrays = load(content)
    change(header, arrays)
    header["check"] = image_module._check(header)
    path.write_bytes(save(arrays, {"triodia": json.dumps(header)}))


@pytest.mark.parametrize("schema", [1, 4, "3", None])
def test_other_schemas(path, schema):
    forged(path, lambda header, arrays: header.update(schema=schema))
    refused(
        path,
        rf"has image schema {schema}, this version reads 3; use the Triodia version that wrote it$",
    )


FORGERIES = [
    (lambda h, a: a.update(weight=a["weight"] * 0), r"weight must be in .* and not 0"),
    (lambda h, a: a.update(weight=-a["weight"]), r"the digest does not match the contents"),
    (lambda h, a: a.update(weight=a["weight"].astype(np.float32)), r"weight must be int32, not .*"),
    (lambda h, a: a.update(target=a["target"][:, None]), r"weight and target must be lists .*"),
    (lambda h, a: a.update(spiking=a["spiking"] * 3), r"spiking must be 0 or 1"),
    (lambda h, a: a.pop("slot"), r"'slot' is missing"),
    (lambda h, a: h.pop("meta"), r"'meta' is missing"),
    (lambda h, a: h["params"].update(lanes=0), r"lanes must be in 1\.\.32, not 0"),
    (lambda h, a: h["params"].update(row_words=1), r"row_words must hold \d+, not 1"),
    (lambda h, a: h["params"].update(gap_bits=0), r"gap_bits must be in 1\.\.14, not 0"),
    (lambda h, a: h["params"].update(cores=1), r".*unexpected keyword argument 'cores'"),
    (lambda h, a: h["params"].update(neurons=13), r"threshold must have 13 values, .*"),
    (lambda h, a: h.update(params=3), r".+"),
]


@pytest.mark.parametrize(("change", "text"), FORGERIES)
def test_forged(path, change, text):
    forged(path, change)
    refused(path, rf"holds a damaged image \({text}\)$")


def test_failed_write_keeps_the_old_file(monkeypatch, tmp_path, image, path):
    old = path.read_bytes()

    def full(handle):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(WriteError, match=r"can be written \(no space left on device\)$"):
            save_image(replace(image, meta={}), path)
    assert os.listdir(tmp_path) == ["net.image"]
    assert path.read_bytes() == old
    with pytest.raises(TypeError):
        save_image(replace(image, meta={"x": object()}), path)
    assert os.listdir(tmp_path) == ["net.image"]
    assert path.read_bytes() == old


def test_save_leaves_nothing_else(tmp_path, image, path):
    assert os.listdir(tmp_path) == ["net.image"]
    assert isinstance(load_image(path), Image)


def test_a_file_of_schema_2_is_read():
    """Written by version 0.1.0, which kept the input coding in ``meta``."""
    data = Path(__file__).parents[1] / "data"
    image, known = (
        load_image(data / "image-2.image"),
        json.loads((data / "image-2.json").read_text()),
    )
    assert image.coding.inputs == 12 and "input_mean" not in image.meta
    events = image.coding.events(image.params, np.array(known["sample"], np.float32))
    assert events == [[tuple(event) for event in step] for step in known["events"]]
