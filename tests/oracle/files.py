"""Image files read and written from docs/contract.md alone: bytes, JSON and SHA-256, no library."""

import hashlib
import json
import struct

__all__ = ["ARRAYS", "read_image", "write_image"]

PER_NEURON = ("slot", "threshold", "beta", "alpha", "reset_value", "refractory", "bias")
ARRAYS = ("row_start", "target", "weight", *PER_NEURON, "spiking", "readout")


def _json(value):
    return json.dumps(value, sort_keys=True).encode()


def _int32(values):
    return struct.pack(f"<{len(values)}i", *values)


def digest(params, arrays, coding):
    """The SHA-256 of what a machine computes."""
    usual = {"fires": "at", "adaptive": False, "delays": []}
    params = {k: v for k, v in params.items() if k not in usual or v != usual[k]}
    sha = hashlib.sha256(_json(params))
    for name in sorted(arrays):
        sha.update(name.encode() + _int32(arrays[name]))
    if coding is not None:
        sha.update(_json(coding))
    return sha.hexdigest()


def write_image(path, params, arrays, coding=None):
    """Write an image file; `arrays` maps the names of `ARRAYS` to lists of integers."""
    header = {"format": "triodia-image", "schema": 3, "params": params, "coding": coding}
    header |= {"meta": {}, "digest": digest(params, arrays, coding)}
    header["check"] = hashlib.sha256(_json(header)).hexdigest()
    tensors, data = {"__metadata__": {"triodia": json.dumps(header)}}, b""
    for name, values in arrays.items():
        end = len(data) + 4 * len(values)
        tensors[name] = {"dtype": "I32", "shape": [len(values)], "data_offsets": [len(data), end]}
        data += _int32(values)
    text = json.dumps(tensors).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_image(path):
    """Read a file: (params, arrays as lists, coding). A wrong digest or check fails."""
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    tensors, data = json.loads(raw[8 : 8 + size]), raw[8 + size :]
    header = json.loads(tensors.pop("__metadata__")["triodia"])
    arrays = {}
    for name, tensor in tensors.items():
        begin, end = tensor["data_offsets"]
        assert tensor["dtype"] == "I32", name
        arrays[name] = list(struct.unpack(f"<{(end - begin) // 4}i", data[begin:end]))
    check = header.pop("check")
    assert check == hashlib.sha256(_json(header)).hexdigest(), "check"
    assert header["digest"] == digest(header["params"], arrays, header["coding"]), "digest"
    return header["params"], arrays, header["coding"]
