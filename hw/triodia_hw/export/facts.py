"""What a user of the exported Verilog must know, as plain values: ports, words, numbers."""

import json
import re
from zlib import crc32

from ..gateware import axi_lite, wishbone
from ..gateware.wishbone import parts
from ..gateware.wrappers import bus_bits
from ..machine.image import Image
from ..machine.words import (
    COUNTERS,
    INPUT_KINDS,
    OUTPUT_KINDS,
    READ_KINDS,
    Fields,
    input_fields,
    output_fields,
    readable,
    width_of,
)
from .parameters import USUAL, TopParameters
from .rtlil import triodia_version

__all__ = ["facts", "ports_of"]

_MEANINGS = {
    "clk": "clock; everything happens at its rising edge",
    "aclk": "clock; everything happens at its rising edge",
    "rst": "reset, active high",
    "rst_n": "reset, active low",
    "aresetn": "reset, active low, synchronous",
    "i_valid": "an input word is on the other `i_` ports",
    "i_ready": "the word is taken at this edge if `i_valid` is high",
    "i_kind": "what the input word is: 0 event, 1 end of step, 2 load, 3 read",
    "i_last": "with an end of step: this step ends the sequence",
    "i_source": "with an event: input channel",
    "i_payload": "with an event: its value",
    "o_valid": "an output word is on the other `o_` ports",
    "o_ready": "take the word at this edge if `o_valid` is high",
    "o_kind": "what the output word is: 0 spike, 1 readout, 2 end of step, 3 count",
    "o_last": "with an end of step: as it came in",
    "o_source": "with a spike or readout: source number of the neuron",
    "o_value": "with a readout: membrane potential",
    "s_axis_tdata": "input word, in the low bits",
    "s_axis_tkeep": "ignored: words are whole",
    "s_axis_tlast": "ignored: the end of a step is a word of its own",
    "s_axis_tvalid": "an input word is there",
    "s_axis_tready": "the word is taken at this edge",
    "m_axis_tdata": "output word, in the low bits; zeros above",
    "m_axis_tkeep": "all ones",
    "m_axis_tlast": "this word ends a step",
    "m_axis_tvalid": "an output word is there",
    "m_axis_tready": "take the word at this edge",
    "wb_cyc": "bus cycle",
    "wb_stb": "request",
    "wb_we": "write",
    "wb_adr": "register, in words of 32 bits",
    "wb_sel": "bytes; writes need all four",
    "wb_dat_i": "data to write",
    "wb_dat_o": "data read, with `wb_ack`",
    "wb_ack": "the request has ended",
    "wb_err": "the request was refused and did nothing",
    "wb_stall": "no request is taken in this cycle",
    "s_axi_awaddr": "write address, in bytes",
    "s_axi_awprot": "ignored",
    "s_axi_awvalid": "a write address is there",
    "s_axi_awready": "the write address is taken at this edge",
    "s_axi_wdata": "data to write",
    "s_axi_wstrb": "bytes; writes need all four",
    "s_axi_wvalid": "write data is there",
    "s_axi_wready": "the write data is taken at this edge",
    "s_axi_bresp": "0 OKAY, 2 SLVERR: refused, nothing was done",
    "s_axi_bvalid": "a write has ended",
    "s_axi_bready": "take the response at this edge",
    "s_axi_araddr": "read address, in bytes",
    "s_axi_arprot": "ignored",
    "s_axi_arvalid": "a read address is there",
    "s_axi_arready": "the read address is taken at this edge",
    "s_axi_rdata": "data read",
    "s_axi_rresp": "0 OKAY, 2 SLVERR: refused, nothing was done",
    "s_axi_rvalid": "data read is there",
    "s_axi_rready": "take the data at this edge",
    "irq": "interrupt, level: high while an enabled status bit is 1",
    "sdram_cke": "SDRAM: clock enable",
    "sdram_ras_n": "SDRAM: command",
    "sdram_cas_n": "SDRAM: command",
    "sdram_we_n": "SDRAM: command",
    "sdram_ba": "SDRAM: bank",
    "sdram_a": "SDRAM: address",
    "sdram_dqm": "SDRAM: both data masks",
    "sdram_dq_o": "SDRAM: data to write",
    "sdram_dq_oe": "SDRAM: drive the data pins",
    "sdram_dq_i": "SDRAM: data pins",
    "fault": "the SDRAM answered wrongly when it was tested",
    **{name: f"{meaning} since reset, modulo 2^32" for name, meaning in COUNTERS.items()},
}


# Addresses by name: in words of 32 bits for Wishbone, in bytes for AXI4-Lite.
_REGISTERS = {"wishbone": wishbone.REGISTERS, "axi-lite": axi_lite.REGISTERS}


def ports_of(verilog: str, name: str) -> list[dict]:
    """Ports of module ``name``: name, direction, bits, signed, meaning."""
    module = re.search(rf"^module {name}\(.*?^endmodule", verilog, re.M | re.S)
    declarations = re.findall(
        r"^  (input|output) (signed )?(?:\[(\d+):0\] )?(\w+);", module[0], re.M
    )
    ports = {
        port: {
            "name": port,
            "direction": direction,
            "bits": int(top or 0) + 1,
            "signed": bool(signed),
            "meaning": _MEANINGS[port],
        }
        for direction, signed, top, port in declarations
    }
    return [ports[port] for port in _MEANINGS if port in ports]


def facts(
    image: Image,
    name: str,
    interface: str,
    verilog: str,
    parameters: TopParameters = USUAL,
) -> dict:
    """Everything that the files beside the Verilog say, for JSON.

    ``verilog`` is the text of the export; ``interface`` and ``parameters`` as of
    :func:`.verilog.export_verilog`.
    """
    p, axi = image.params, interface.startswith("axi")
    return {
        "name": name,
        "triodia": triodia_version(),
        "image": image.digest(),
        "machine": f"0x{crc32(json.dumps(p.record(), sort_keys=True).encode()):08x}",
        "interface": interface or "streams",
        "clock": "aclk" if axi else "clk",
        "reset": {
            "port": "aresetn" if axi else parameters.reset_port,
            "active": "low" if axi else parameters.reset_polarity,
            "synchronous": parameters.reset_kind == "sync",
            "cycles": 1 if interface else 16,
        },
        "ports": ports_of(verilog, name),
        "input": _word(input_fields(p), INPUT_KINDS, interface),
        "output": _word(output_fields(p), OUTPUT_KINDS, interface),
        "reads": {k: n for k, n in READ_KINDS.items() if k in (*readable(p), "counters")},
        **_network(image),
        "counters": COUNTERS,
        "registers": _REGISTERS.get(interface),
    }


def _network(image: Image) -> dict:
    """Sizes, the input coding, and which source number and class each neuron has."""
    p, sources = image.params, image.source_of_neuron().tolist()
    limit = p.greatest_payload
    return {
        "network": {
            "inputs": p.inputs,
            "neurons": p.neurons,
            "synapses": image.synapses,
            "lanes": p.lanes,
            "slots": p.slots,
            "fraction_bits": p.fraction_bits,
            "payload": [-limit, limit - 1] if p.graded else [1, 1],
        },
        "coding": None if image.coding is None else _coding(image),
        "source_of_neuron": sources,
        "readouts": [
            {"class": index, "neuron": neuron, "source": sources[neuron]}
            for index, neuron in enumerate(image.readouts.tolist())
        ],
    }


def _word(fields: Fields, kinds: dict[str, int], interface: str) -> dict:
    """Layout of a stream word."""
    bits, offset, layout = width_of(fields), 0, []
    for name, width, signed in fields:
        layout.append({"name": name, "offset": offset, "bits": width, "signed": signed})
        offset += width
    word = {"bits": bits, "kinds": kinds, "fields": layout}
    if interface == "axi-stream":
        word["bus_bits"] = bus_bits(bits)
    if interface in _REGISTERS:
        word["registers"] = parts(bits)
    return word


def _coding(image: Image) -> dict:
    coding = image.coding
    lists = {"mean": coding.mean.tolist(), "std": coding.std.tolist()}
    return lists | {"clip": float(coding.clip), "tail": coding.tail}
