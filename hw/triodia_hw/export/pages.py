"""Values of the templates: names, sizes, and the lists and tables of README and C header."""

import textwrap
from collections.abc import Iterable

from ..machine.image import Image
from ..machine.params import MachineParams
from .vectors import Recording

__all__ = ["coding_values", "header_values", "load_values", "names", "readme_values", "sizes"]

_NONE = 0xFFFF  # in a table of the C header
_STREAM = {
    "streams": ("i_valid", "i_ready", "o_valid", "o_ready"),
    "axi-stream": ("s_axis_tvalid", "s_axis_tready", "m_axis_tvalid", "m_axis_tready"),
}
_FIELDS = {
    ("input", "kind"): "0 event, 1 end of step, 2 load, 3 read",
    ("input", "last"): "with an end: this step ends the sequence; else 0",
    ("input", "source"): "with an event: input channel; else 0",
    ("input", "payload"): "with an event: its value; else 0",
    ("output", "kind"): "0 spike, 1 readout, 2 end of step, 3 count",
    ("output", "last"): "with an end: as it came in; else 0",
    (
        "output",
        "source",
    ): "with a spike or readout: source number of the neuron; with an end: anything",
    ("output", "value"): "with a readout: membrane potential, signed; else 0",
}
_RESET_RULES = {
    "streams": """\
- Words that you offer while `{port}` is {active} are lost. The machine takes words when `i_ready`
  is high, from a few cycles after reset.
- To reset in mid-run, hold `{port}` for 16 cycles and ignore the output meanwhile. Then no word of
  the earlier run follows.""",
    "axi-stream": """\
- `aresetn` may fall at any time. The machine drops what it was doing and keeps `s_axis_tready` and
  `m_axis_tvalid` low for another 16 cycles.""",
    "axi-lite": """\
- `aresetn` may fall at any time. The machine drops what it was doing. Both bits of the status stay
  0 for another 16 cycles.""",
    "wishbone": """\
- `rst` may rise at any time. The machine drops what it was doing. Both bits of the status stay 0
  for another 16 cycles.""",
}


def names(known: dict) -> dict[str, object]:
    """Names that several templates use."""
    reset, stream = known["reset"], _STREAM.get(known["interface"], [""] * 4)
    low = reset["active"] == "low"
    return {
        "name": known["name"],
        "NAME": known["name"].upper(),
        "version": known["triodia"],
        "digest": known["image"],
        "short_digest": known["image"][:16],
        "clock": known["clock"],
        "reset": reset["port"],
        "active": 0 if low else 1,
        "inactive": 1 if low else 0,
        "reset_wave": "rst_n    ____________/-----------------------------------"
        if low
        else "rst      ------------\\___________________________________",
        "tb_reset": "!rst" if low else "rst",
        **dict(zip(("in_valid", "in_ready", "out_valid", "out_ready"), stream, strict=True)),
    }


def sizes(image: Image, known: dict, recording: Recording) -> dict[str, object]:
    """Numbers of the testbenches."""
    p, (word, out) = image.params, (known["input"], known["output"])
    fields = {field["name"]: field for field in word["fields"]}
    out_fields = {field["name"]: field for field in out["fields"]}
    patience = 10_000 + 30_000 * p.external + 50 * p.inputs + 20 * (p.synapse_words + p.rows)
    return {
        "in_words": len(recording.inputs),
        "out_words": len(recording.outputs),
        "in_bits": word["bits"],
        "out_bits": out["bits"],
        "in_source_top": fields["payload"]["offset"] - 1,
        "in_payload": fields["payload"]["offset"],
        "value_bits": out_fields["value"]["bits"],
        "source_bits": out_fields["source"]["bits"],
        "s_bits": word.get("bus_bits"),
        "m_bits": out.get("bus_bits"),
        "in_parts": word.get("registers"),
        "out_parts": out.get("registers"),
        **_register_values(known),
        "patience": patience,
        "timeout_us": patience * len(recording.outputs) // 100,
    }


def _register_values(known: dict) -> dict[str, object]:
    """Addresses that the testbenches of a bus use."""
    registers = known["registers"] or {}
    values = {f"{name.lower()}_address": registers[name] for name in registers}
    axi = known["interface"] == "axi-lite"
    reset = "CONTROL" if axi else "STATUS"
    step, size = (4, 1) if axi else (1, 4)
    return values | {"register_step": step, "register_bytes": size, "reset_register": reset}


def readme_values(image: Image, known: dict, hex_files: list[str]) -> dict[str, object]:
    """Tables and paragraphs of the README."""
    name, network, reset = known["name"], known["network"], known["reset"]
    ports = [(f"`{p['name']}`", p["direction"], p["bits"], p["meaning"]) for p in known["ports"]]
    fields = [
        (stream, f["name"], f["bits"], _FIELDS[stream, f["name"]])
        for stream in ("input", "output")
        for f in known[stream]["fields"]
    ]
    cycles = reset["cycles"]
    return {
        **{key: network[key] for key in ("inputs", "neurons", "synapses", "lanes")},
        "hex_row": f"| `{name}_lane_*.hex` | memory contents |\n" if hex_files else "",
        "driver_row": _DRIVER_ROW.format(name=name) if known["registers"] else "",
        "hex_text": _HEX.format(name=name) if hex_files else "",
        "ports": _rows(ports),
        "fields": _rows(fields),
        "polarity": reset["active"],
        "reset_cycles": "one cycle" if cycles == 1 else f"one cycle, better {cycles}",
        "synchrony": "synchronous" if reset["synchronous"] else _ASYNC,
        "reset_rules": _RESET_RULES[known["interface"]].format(**reset),
        "coding": _coding(image, name),
        "classes": _rows((r["class"], r["neuron"], r["source"]) for r in known["readouts"]),
        "counters": _rows((f"`{key}`", text) for key, text in known["counters"].items()),
    }


_LOAD_ROW = "| `{name}_load.h`, `{name}_load.bin` | bytes that load this network |\n"
_ASYNC = "asynchronous: it begins at once, and ends at the second edge after its release"
_DRIVER_ROW = "| `{name}_driver.h`, `{name}_driver.py` | drivers in C and in Python |\n"
_HEX = """
Simulation and synthesis read the memory contents from the `.hex` files in the folder they run in.
To run elsewhere, define `TRIODIA_HEX_FOLDER` as the folder of the files, with a `/` at its end. A
simulation stops at its first clock edge if a file is missing, was edited, or belongs to another
network. `triodia verilog --inline` writes the contents into the Verilog instead.
"""


def load_values(name: str, load: bytes | None) -> dict[str, object]:
    """Values on the bytes that load the network; ``load`` is None where it has too many words."""
    if load is None:
        return {"load_row": ""}
    row = _LOAD_ROW.format(name=name)
    return {"load_row": row, "load_size": len(load), "load_bytes": _list(load)}


def _rows(rows: Iterable[tuple]) -> str:
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _coding(image: Image, name: str) -> str:
    p, coding = image.params, image.coding
    if coding is None:
        payload = "a signed integer *x* · 2^f" if p.graded else "always 1"
        return f"This network takes events, not samples: the payload is {payload}" + (
            f", *f* = {p.fraction_bits}." if p.graded else "."
        )
    low, high = (-p.greatest_payload, p.greatest_payload - 1)
    steps = "one more step" if coding.tail == 1 else f"{coding.tail} more steps"
    late = f"\nRun {steps} without input after each sample: the answer arrives late."
    tail = late if coding.tail else ""
    return (
        f"For the value *x* of channel *i*:\n\n"
        f"    z = min(max((x - mean[i]) / std[i], -{coding.clip:g}), {coding.clip:g})\n"
        f"    payload = min(max(round(z * {p.one}), {low}), {high})\n\n"
        f"`round` takes halves to the even neighbour. `mean` and `std` are in `{name}.json`,\n"
        f"and in `{name}.h` with the function `{name}_payload`. A payload of 0 need not be sent."
        f"{tail}"
    )


def header_values(image: Image, known: dict) -> dict[str, object]:
    """Lists of the C header."""
    upper = known["name"].upper()
    low, high = known["network"]["payload"]
    layout, kinds = [], []
    for stream, short in (("input", "IN"), ("output", "OUT")):
        layout.append(f"#define {upper}_{short}_BITS {known[stream]['bits']}")
        for field in known[stream]["fields"]:
            prefix = f"#define {upper}_{short}_{field['name'].upper()}"
            layout += [f"{prefix}_POS {field['offset']}", f"{prefix}_BITS {field['bits']}"]
        for kind, number in known[stream]["kinds"].items():
            kinds.append(f"#define {upper}_{short}_{kind.upper()} {number}")
    kinds.append(f"#define {upper}_READ_COUNTERS {known['reads']['counters']}")
    layout.append(f"#define {upper}_COUNTERS {len(known['counters'])}")
    return {
        "readouts": len(known["readouts"]),
        "machine": known["machine"],
        "fraction_bits": known["network"]["fraction_bits"],
        "payload_min": low,
        "payload_max": high,
        "layout": "\n".join(layout),
        "kinds": "\n".join(kinds),
        "registers": _registers(known, upper),
        "class_sources": ", ".join(str(r["source"]) for r in known["readouts"]),
        "neuron_sources": _list(known["source_of_neuron"]),
        "sources": image.params.sources,
        "source_neurons": _inverse(image.params, known["source_of_neuron"]),
        "source_classes": _inverse(image.params, [r["source"] for r in known["readouts"]]),
    }


def _inverse(p: MachineParams, sources: list[int]) -> str:
    """Index of each source of a neuron in ``sources``, as a C array."""
    index = {source: k for k, source in enumerate(sources)}
    return _list(index.get(source, _NONE) for source in range(p.inputs, p.sources))


def coding_values(known: dict) -> dict[str, object]:
    """Lists of the part of the C header that codes inputs."""
    coding = known["coding"]
    lists = {key: _list(map(repr, coding[key])) for key in ("mean", "std")}
    return lists | {"clip": repr(coding["clip"])}


def _registers(known: dict, upper: str) -> str:
    """Addresses of the registers on a bus."""
    if not known["registers"]:
        return ""
    unit = "bytes" if known["interface"] == "axi-lite" else "words of 32 bits"
    parts = {f"{s.upper()}_REGISTERS": known[s]["registers"] for s in ("input", "output")}
    values = known["registers"] | parts
    lines = [f"#define {upper}_{key} {value}" for key, value in values.items()]
    return "\n".join(["", f"/* Registers, by address in {unit} */", *lines, ""])


def _list(values: Iterable[object]) -> str:
    """Values of a C array, in lines."""
    text = ", ".join(map(str, values))
    return textwrap.fill(text, 92, initial_indent="    ", subsequent_indent="    ")
