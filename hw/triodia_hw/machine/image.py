"""The machine image: everything a machine is built from and loaded with, as one checked file."""

import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import ContractError, ImageError
from ..files import write_atomic
from .coding import InputCoding
from .neuron import NeuronParams
from .params import MachineParams
from .rows import segment_words, stored_segments

__all__ = [
    "Image",
    "accumulator_bound",
    "load_image",
    "save_image",
]

_FORMAT, _SCHEMA = "triodia-image", 3
_ADAPTIVE = ("rho", "jump")  # arrays that only an adaptive machine has
_OLD = 2  # still read: the input coding lay in its free "meta"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A network in integers, and the PE and slot of each neuron.

    Sources are numbered inputs first: source ``j < inputs`` is input ``j``, source ``inputs + i``
    is neuron ``i``. A machine with delays has a row of synapses for each source and each of
    ``params.waits``: row ``k * (inputs + neurons) + j`` holds those of source ``j`` that wait
    ``waits[k]`` steps.

    Parameters
    ----------
    params : sizes and widths.
    neurons : per-neuron integers.
    row_start : ``(len(waits) * (inputs + neurons) + 1,)``; synapses of row ``j`` are
        ``row_start[j]:row_start[j + 1]`` of ``target`` and ``weight``.
    target, weight : ``(synapses,)``; targets ascend within a row, none twice, no weight 0.
    slot : ``(neurons,)`` slot of each neuron; PE ``slot // params.slots``.
    coding : how samples become input events, or None for a network without real-valued inputs.
    meta : free JSON: task, provenance. Nothing that the machine or its host needs.

    Raises
    ------
    ContractError
        If anything is out of range, or a sum could exceed the accumulator.
    """

    params: MachineParams
    neurons: NeuronParams
    row_start: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    slot: np.ndarray
    coding: InputCoding | None = None
    meta: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.neurons.check(self.params)
        self._check_synapses()
        self._check_slots()
        if self.coding is not None and self.coding.inputs != self.params.inputs:
            raise ContractError(
                f"coding must have {self.params.inputs} channels, not {self.coding.inputs}"
            )

    def _check_synapses(self) -> None:
        p, limit = self.params, 1 << (self.params.weight_bits - 1)
        rows = len(p.waits) * (p.inputs + p.neurons)
        if self.row_start.shape != (rows + 1,) or self.row_start[0] != 0:
            raise ContractError(f"row_start must have {rows + 1} entries, from 0")
        if np.any(np.diff(self.row_start) < 0) or self.row_start[-1] != self.target.size:
            raise ContractError("row_start must ascend to the number of synapses")
        if self.target.ndim != 1 or self.weight.shape != self.target.shape:
            raise ContractError("weight and target must be lists of the same length")
        if np.any((self.target < 0) | (self.target >= p.neurons)):
            raise ContractError(f"target must be in 0..{p.neurons - 1}")
        if np.any((self.weight < -limit) | (self.weight >= limit) | (self.weight == 0)):
            raise ContractError(f"weight must be in {-limit}..{limit - 1} and not 0")
        rows = np.repeat(np.arange(self.row_start.size - 1), np.diff(self.row_start))
        if np.any(np.diff(rows * p.neurons + self.target) <= 0):
            raise ContractError("targets must ascend within a row")
        bound = accumulator_bound(p, self.row_start, self.target, self.weight)
        if bound > (1 << (p.accumulator_bits - 1)) - 1:
            raise ContractError(
                f"accumulator_bits must hold the worst-case sum {bound}, not {p.accumulator_bits}"
            )

    def _check_slots(self) -> None:
        p = self.params
        if self.slot.shape != (p.neurons,) or np.unique(self.slot).size != p.neurons:
            raise ContractError("slot must give every neuron a place of its own")
        if np.any((self.slot < 0) | (self.slot >= p.lanes * p.slots)):
            raise ContractError(f"slot must be in 0..{p.lanes * p.slots - 1}")
        segments = self.segment_words()
        for name, need in (
            ("synapse_words", self.words_per_lane().max()),
            ("row_words", segments.max()),
        ):
            if need > getattr(p, name):
                raise ContractError(f"{name} must hold {need}, not {getattr(p, name)}")

    @property
    def synapses(self) -> int:
        """Stored synapses."""
        return int(self.weight.size)

    @property
    def readouts(self) -> np.ndarray:
        """Neurons whose ``v`` is an output, ascending."""
        return np.flatnonzero(self.neurons.readout)

    def segment_words(self) -> np.ndarray:
        """Synapse words of each row in each PE, fillers too, ``(rows, lanes)``."""
        return segment_words(self.params, self.row_start, self.slot[self.target])

    def words_per_lane(self) -> np.ndarray:
        """Synapse words each PE stores, fillers too, ``(lanes,)``."""
        kept = stored_segments(self.params, self.row_start, self.slot[self.target], self.weight)
        return (self.segment_words() * kept).sum(axis=0)

    def source_of_neuron(self) -> np.ndarray:
        """Hardware source number of each neuron, as stream words carry it, ``(neurons,)``."""
        return self.params.inputs + self.slot

    def digest(self) -> str:
        """SHA-256 of everything except ``meta``; images of equal digest compute the same."""
        params = self.params.record()
        if self.params.fires == "at":  # a mode newer than the first images
            del params["fires"]
        h = hashlib.sha256(json.dumps(params, sort_keys=True).encode())
        for name, array in sorted(_arrays(self).items()):
            h.update(name.encode() + array.tobytes())
        if self.coding is not None:
            h.update(json.dumps(_coding_header(self.coding), sort_keys=True).encode())
        return h.hexdigest()


def accumulator_bound(
    p: MachineParams, row_start: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> int:
    """Largest magnitude any ``a_i`` can reach: sum of ``|weight| * greatest payload`` by target.

    Rows of all delays count, since their events can arrive in one step.
    """
    payload = np.full(p.inputs + p.neurons, p.one, np.int64)
    payload[: p.inputs] = p.greatest_payload
    reach = np.abs(weight.astype(np.int64)) * np.repeat(
        np.tile(payload, len(p.waits)), np.diff(row_start)
    )
    totals = np.zeros(p.neurons, np.int64)
    np.add.at(totals, target, reach)
    return int(totals.max(initial=0))


def _arrays(image: Image) -> dict[str, np.ndarray]:
    names = [f.name for f in fields(NeuronParams)]
    if not image.params.adaptive:
        names = [name for name in names if name not in _ADAPTIVE]
    arrays = {name: getattr(image.neurons, name) for name in names}
    arrays |= {name: getattr(image, name) for name in ("row_start", "target", "weight", "slot")}
    return {name: np.ascontiguousarray(array, np.int32) for name, array in arrays.items()}


def _coding_header(coding: InputCoding) -> dict:
    header = {"mean": coding.mean.tolist(), "std": coding.std.tolist(), "clip": float(coding.clip)}
    return header | ({"tail": coding.tail} if coding.tail else {})  # the first images have none


def save_image(image: Image, path: str | Path) -> None:
    """Write ``image`` to a file, whole or not at all; equal images give equal bytes."""
    header = {
        "format": _FORMAT,
        "schema": _SCHEMA,
        "params": image.params.record(),
        "coding": None if image.coding is None else _coding_header(image.coding),
        "meta": image.meta,
        "digest": image.digest(),
    }
    header = json.loads(json.dumps(header))  # as it will be read: keys of `meta` become text
    text = json.dumps(header | {"check": _check(header)}, sort_keys=True)
    # One key only: safetensors writes several in an order that differs from run to run.
    write_atomic(path, save(_arrays(image), {"triodia": text}))


def _check(header: dict) -> str:
    """SHA-256 of the header without ``check``; unlike the digest it covers ``meta``."""
    rest = {key: value for key, value in header.items() if key != "check"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def load_image(path: str | Path) -> Image:
    """Read an image; :class:`ImageError` says why a file is refused."""
    if Path(path).is_dir():
        raise ImageError(f"{path} is a folder; name the image file in it")
    try:
        with safe_open(path, framework="np") as file:
            header = json.loads((file.metadata() or {}).get("triodia", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist; `triodia quantize` makes an image") from None
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise ImageError(f"{path} is damaged or not an image ({error})") from None
    kind = header.get("format") if isinstance(header, dict) else None
    if kind != _FORMAT:
        raise ImageError(f"{path} is not a machine image (format {kind!r})")
    if header.get("schema") not in (_OLD, _SCHEMA):
        raise ImageError(
            f"{path} has image schema {header.get('schema')}, this version reads {_SCHEMA}; "
            "use the Triodia version that wrote it"
        )
    try:
        return _from_parts(header, arrays)
    except KeyError as error:
        raise ImageError(f"{path} holds a damaged image ({error} is missing)") from None
    except (TypeError, ContractError) as error:
        raise ImageError(f"{path} holds a damaged image ({error})") from None


def _from_parts(header: dict, arrays: dict[str, np.ndarray]) -> Image:
    if header["check"] != _check(header):
        raise ContractError("the header does not match its check sum")
    for name, array in arrays.items():
        if array.dtype != np.int32:
            raise ContractError(f"{name} must be int32, not {array.dtype}")
    wide = {name: array.astype(np.int64) for name, array in arrays.items()}
    for flag in ("spiking", "readout"):
        if np.any(wide[flag] >> 1):
            raise ContractError(f"{flag} must be 0 or 1")
        wide[flag] = wide[flag].astype(bool)
    image = Image(
        params=MachineParams(**header["params"]),
        neurons=NeuronParams(**{
            f.name: wide[f.name]
            for f in fields(NeuronParams)
            if f.name not in _ADAPTIVE or header["params"].get("adaptive")
        }),
        **{name: wide[name] for name in ("row_start", "target", "weight", "slot")},
        coding=None if header["schema"] == _OLD else _coding(header["coding"]),
        meta=header["meta"],
    )
    if image.digest() != header["digest"]:
        raise ContractError("the digest does not match the contents")
    return _upgraded(image) if header["schema"] == _OLD else image


def _coding(header: dict | None) -> InputCoding | None:
    return None if header is None else InputCoding(**header)


def _upgraded(image: Image) -> Image:
    """Image of schema 2 converted to schema 3: the input coding leaves ``meta``."""
    meta = dict(image.meta)
    values = {name: meta.pop(f"input_{name}", None) for name in ("mean", "std", "clip")}
    coding = None if None in values.values() else InputCoding(**values)
    return replace(image, coding=coding, meta=meta)
