"""Changes to files that keep their outer form, so that they pass the first checks of a reader.

Each takes the bytes of a file and a ``random.Random``, and returns other bytes. Check sums are made
to fit again: damage is found by them anyway, but a hostile file has the right ones.
"""

import hashlib
import io
import json
import re
import warnings
import zipfile
from functools import wraps

import h5py
import numpy as np

from triodia_hw.errors import TriodiaError
from triodia_hw.machine import image as images

__all__ = ["archive", "hdf5", "image", "json_text", "network", "raw", "sound", "text"]

DEEP = 100_000
NUMBERS = [0, 1, -1, 2, 3, 255, 256, 1 << 15, 1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 32]
NUMBERS += [1 << 63, 1 << 64, 10**30, 10**400, 0.5, 1e-320, 1e38, 1e308, float("nan"), float("inf")]
NASTY = [
    *NUMBERS,
    None,
    True,
    False,
    "",
    "a",
    "\0",
    "é" * 300,
    "../x",
    [],
    {},
    [[]],
    [None],
    {"a": 0},
]


def raw(data, chance):
    """Bytes flipped, set, inserted, removed or repeated, in a few places."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 16])):
        at, size = chance.randrange(len(data) + 1), chance.choice([1, 1, 2, 4, 8, 64])
        some = (
            chance.randbytes(size)
            if chance.random() < 0.5
            else chance.choice([b"\0", b"\xff"]) * size
        )
        change = chance.randrange(5)
        if change == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif change == 1:
            data[at : at + size] = some
        elif change == 2:
            data[at:at] = some
        elif change == 3:
            del data[at : at + size]
        else:
            data[at:at] = data[at : at + size] * chance.choice([1, 2, 100])
    return bytes(data)


def _guarded(change):
    """``change``, or :func:`raw` for a file that earlier changes broke."""

    @wraps(change)
    def changed(data, chance):
        try:
            with warnings.catch_warnings(action="ignore"):  # numpy's, of odd casts
                return change(data, chance)
        except Exception:  # parsers raise whatever they meet
            return raw(data, chance)

    return changed


def _places(tree):
    """(container, key) of every value in a tree of dicts and lists."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _json(tree, chance):
    """Change a few values of a tree in place."""
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        places = list(_places(tree))
        if not places:
            return
        holder, key = chance.choice(places)
        change = chance.randrange(6)
        if change == 0:
            del holder[key]
        elif change == 1 and isinstance(holder, dict):
            holder[chance.choice(["", "x", key + "s", key.upper(), "a" * 300])] = holder.pop(key)
        elif change == 2:
            other, name = chance.choice(places)
            if name in other if isinstance(other, dict) else name < len(other):
                holder[key] = json.loads(json.dumps(other[name]))
        elif change == 3 and isinstance(holder[key], int | float):
            holder[key] += chance.choice([1, -1, 0.5])
        else:
            holder[key] = chance.choice(NASTY)


def _dumped(tree, chance):
    text = json.dumps(tree)
    if chance.random() < 0.02:
        text = text.replace(
            chance.choice(re.findall(r"\d+|null|\[\]", text) or ["{"]), "[" * DEEP, 1
        )
    return text


@_guarded
def json_text(data, chance):
    """A value of a JSON text, or its bytes."""
    if chance.random() < 0.2:
        return raw(data, chance)
    tree = json.loads(data)
    _json(tree, chance)
    return _dumped(tree, chance).encode()


@_guarded
def text(data, chance):
    """Tokens and lines of a text."""
    lines = data.decode(errors="replace").splitlines(keepends=True) or [""]
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(lines))
        tokens = re.findall(r"\w+|\s+|.", lines[at]) or [""]
        k = chance.randrange(len(tokens))
        change = chance.randrange(6)
        if change == 0:
            tokens[k] = json.dumps(chance.choice(NASTY))
        elif change == 1:
            tokens[k] = chance.choice([
                "",
                "=",
                ",",
                "[",
                "]]",
                "{",
                '"',
                "'''",
                "#",
                "\r",
                "\0",
                "é",
            ])
        elif change == 2:
            tokens[k] *= chance.choice([2, 50])
        elif change == 3:
            lines.insert(chance.randrange(len(lines) + 1), lines[at])
        elif change == 4:
            tokens = []
        elif chance.random() < 0.05:
            tokens[k] = chance.choice(["[", "{a=", "a."]) * DEEP
        lines[at] = "".join(tokens)
        lines = "".join(lines).splitlines(keepends=True) or [""]
    return "".join(lines).encode()


def _opened(data):
    """Header, inner header and values of a safetensors file of ours."""
    size = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + size])
    return head, json.loads(head["__metadata__"]["triodia"]), bytearray(data[8 + size :])


def _closed(head, inner, body, chance):
    if isinstance(head.get("__metadata__"), dict):
        head["__metadata__"]["triodia"] = _dumped(inner, chance)
    content = json.dumps(head).encode()
    content += b" " * (-len(content) % 8)
    return len(content).to_bytes(8, "little") + content + bytes(body)


def _tensors(data, chance):
    """Header, inner header and values, one of the three changed."""
    head, inner, body = _opened(data)
    part = chance.choice("iiihb")
    if part == "i":
        _json(inner, chance)
    elif part == "h":
        _json(head, chance)
    else:
        for _ in range(chance.choice([1, 1, 2, 8])):
            at, size = chance.randrange(max(1, len(body) - 8)) & ~3, chance.choice([4, 8])
            value = chance.choice([0, 1, -1, 1 << 31, 0x7F800000, 0x7FC00000, 2, 3, 100])
            body[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    return head, inner, body


@_guarded
def network(data, chance):
    """Of a network file, with a check sum that fits."""
    head, inner, body = _tensors(data, chance)
    inner["check"] = "0" * 64
    content = _closed(head, inner, body, chance)
    return content.replace(b"0" * 64, hashlib.sha256(content).hexdigest().encode(), 1)


class _Anything:
    """Equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


@_guarded
def image(data, chance):
    """Of an image, with check sums that fit as far as the image is one."""
    head, inner, body = _tensors(data, chance)
    try:
        arrays = _arrays(head, body)
        trial = inner | {"digest": _Anything(), "check": _Anything()}
        inner["digest"] = _digest(trial, arrays)
    except (TriodiaError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        pass
    inner.pop("check", None)
    inner["check"] = images._check(inner)
    return _closed(head, inner, body, chance)


def _arrays(head, body):
    tensors = {name: entry for name, entry in head.items() if name != "__metadata__"}
    return {
        name: np.frombuffer(bytes(body[slice(*entry["data_offsets"])]), np.int32)
        for name, entry in tensors.items()
    }


def _digest(header, arrays):
    check, images._check = images._check, lambda _: ""
    try:
        return images._from_parts(header, arrays).digest()
    finally:
        images._check = check


def _array(value, chance):
    """An array in place of another."""
    value, change = np.array(value), chance.randrange(9)
    if change == 0:
        kinds = ["f2", "f8", "i1", "u8", "i8", "?", "c8", "S3", "U2", "M8[s]", "V4"]
        try:
            return value.astype(chance.choice(kinds))
        except (TypeError, ValueError):
            return np.zeros(value.shape, "S3")
    if change == 1:
        return value.reshape(chance.choice([-1, (1, -1), (-1, 1), (1, -1, 1)]))
    if change == 2:
        return (
            value[..., :0]
            if value.ndim
            else value.reshape(0, *[1] * 0)
            if not value.size
            else value
        )
    if change == 3:
        return value[:0] if value.ndim else np.array([value, value])
    if change == 4:
        return value[..., :-1] if value.ndim else np.array([])
    if change == 5 and value.ndim:
        return np.concatenate([value, value])
    if value.size and value.dtype.kind in "fiu":
        flat = value.reshape(-1).copy()
        number = chance.choice([n for n in NUMBERS if abs(n) < 1e300 or n != n] + [1e300])
        with np.errstate(all="ignore"):
            try:
                flat[chance.randrange(flat.size)] = number
            except (OverflowError, ValueError):
                flat[0] = np.iinfo(flat.dtype).max if flat.dtype.kind in "iu" else np.inf
        return flat.reshape(value.shape)
    return np.array(chance.choice([n for n in NASTY if not isinstance(n, dict)] + [0]), dtype="U9")


@_guarded
def archive(data, chance):
    """Of an .npz file: an array, or bytes of a member with a check sum that fits."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    name = chance.choice(list(members))
    if chance.random() < 0.3:
        members[name] = raw(members[name][:4096], chance)
    else:
        value = _array(np.load(io.BytesIO(members[name]), allow_pickle=False), chance)
        held = io.BytesIO()
        np.save(held, value, allow_pickle=False)
        members[chance.choice([name, name, name, "x.npy", "y.npy", "bin.npy"])] = held.getvalue()
    if chance.random() < 0.1:
        members.pop(chance.choice(list(members)))
    held = io.BytesIO()
    with zipfile.ZipFile(
        held, "w", chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    ) as out:
        for name, content in members.items():
            out.writestr(zipfile.ZipInfo(name), content)
    return held.getvalue()


_SOUND: set[bytes] = set()  # digests of HDF5 files that were made by HDF5 itself


def sound(data):
    """Remember ``data`` as an HDF5 file to start from: in a damaged one the library may hang."""
    _SOUND.add(hashlib.sha256(data).digest())
    return data


@_guarded
def hdf5(data, chance):
    """Of an HDF5 file: a data set, a group or a link."""
    if hashlib.sha256(data).digest() not in _SOUND:
        raise ValueError("this file was damaged before")
    held = io.BytesIO(data)
    with h5py.File(held, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        _change(file, chance.choice(names), names, chance)
    return sound(held.getvalue())


def _change(file, name, names, chance):
    item, change = file[name], chance.randrange(12)
    if change == 0:
        del file[name]
    elif change == 1:
        file.move(name, f"{name}{chance.choice(['x', '2', '/y', ''])}")
    elif change == 2:
        del file[name]
        link = chance.choice(names)
        file[name] = chance.choice([h5py.SoftLink(f"/{link}"), file["/"], h5py.SoftLink("/none")])
    elif change == 3:
        del file[name]
        file[name] = chance.choice([h5py.ExternalLink("/etc/passwd", "x"), h5py.Empty("f4")])
    elif change == 4:
        del file[name]
        shape = chance.choice([(1 << 40,), (1 << 20, 1 << 20), (1 << 33, 3)])
        file.create_dataset(name, shape, "f8", chunks=(1024,) + (1,) * (len(shape) - 1))
    elif change == 5:
        del file[name]
        file[name] = chance.choice(["", "LIF", "Affine", "Conv2d", "NIRGraph", b"\xff", 3, [1, 2]])
    elif isinstance(item, h5py.Dataset):
        value = item[()]
        if isinstance(value, bytes):
            value = chance.choice([
                b"Conv1d",
                b"Flatten",
                b"SumPool2d",
                b"Scale",
                b"Threshold",
                b"IF",
            ])
        elif value.dtype.kind == "O":
            value = value[:-1] if value.ndim else np.array(0)
            if change == 6:
                value = np.zeros(len(value), "f4") if value.ndim else value
        else:
            value = _array(value, chance)
        del file[name]
        file.create_dataset(name, data=value, dtype=h5py.string_dtype() if value is None else None)
