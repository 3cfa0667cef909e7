"""``quantize``: from a trained network to a machine image."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from triodia_boards.capacity import smallest_board
from triodia_boards.catalog import get_board
from triodia_boards.flow.limits import check_sdram
from triodia_hw.compile.contents import memory_shapes, wheel_shapes
from triodia_hw.compile.family import FAMILIES
from triodia_hw.compile.options import Options
from triodia_hw.cost.resources import block_rams
from triodia_hw.errors import TriodiaError
from triodia_hw.machine.image import Image, save_image

from ..network.files import load_network
from ..network.network import Network
from ..quantize.comparison import agreement, compare_on
from ..quantize.quantize import QuantizeOptions
from ..quantize.quantize import quantize as quantize_network
from ..quantize.sizing import Choice, choose
from ..tasks.catalog import TaskData, get_task
from ..tasks.own import OWN_TASK, load_samples, silence, usual_bin
from .console import Output
from .options import Bin, DataFile, Json, NetworkFile, Out

__all__ = ["quantize"]

_AGREEING = 0.95  # share of equal spikes below which the user is told


def quantize(
    network: NetworkFile,
    output: Out,
    weight_bits: Annotated[
        str | None,
        typer.Option(
            help="Bits per weight, 2 to 16; auto: the fewest that keep the spikes (--agree)."
            " Default: those the network was trained for, else 8."
        ),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(
            help="Processing elements (PEs). Default: what --latency or --board needs, else 4.",
            min=1,
            max=32,
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            help="Board to choose the PEs for: the fewest that meet --latency, or else"
            " the fastest machine that fits. Also sets the family."
        ),
    ] = None,
    latency: Annotated[
        float | None,
        typer.Option(help="Microseconds per sample to stay below with the fewest PEs.", min=0.01),
    ] = None,
    payload_bits: Annotated[
        int | None, typer.Option(help="Bits of an input value; default: 8 or 12.", min=1, max=12)
    ] = None,
    fraction_bits: Annotated[
        int | None,
        typer.Option(help="Fraction bits of an input value; default: 5 or 9.", min=0, max=10),
    ] = None,
    state_bits: Annotated[
        int | None,
        typer.Option(help="Bits of a membrane potential; default: 18 or 24.", min=4, max=24),
    ] = None,
    leak_bits: Annotated[
        int | None,
        typer.Option(help="Bits of a leak coefficient; default: 10 or 16.", min=1, max=16),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(help=f"FPGA family: {', '.join(FAMILIES)}. Default: the board's, else ecp5."),
    ] = None,
    tight: Annotated[
        bool, typer.Option("--tight", help="Use the fewest block RAMs, even if cycles rise.")
    ] = False,
    shared_rows: Annotated[
        bool | None,
        typer.Option(
            "--shared-rows/--own-rows",
            help="Store alike rows once, as a convolution's are; default: if that halves memory.",
        ),
    ] = None,
    agree: Annotated[
        float | None,
        typer.Option(
            help="Use the fewest weight bits that keep this share of the spikes;"
            " 0.95 with --weight-bits auto.",
            min=0.0,
            max=1.0,
        ),
    ] = None,
    synapses: Annotated[
        str,
        typer.Option(help="Where synapses lie: chip, or sdram: outside, for boards that have it."),
    ] = "chip",
    data: DataFile = None,
    bin: Bin = None,
    as_json: Json = False,
) -> None:
    """Quantize a network to a machine image; test both on the test set."""
    show = Output(as_json)
    family, external = _family(family, board), _external(synapses, board)
    if external and shared_rows:
        raise TriodiaError("`--shared-rows` is for synapses on the chip; leave one of the two out.")
    net = load_network(network)
    options = QuantizeOptions(
        weight_bits=_bits(weight_bits, net),
        lanes=lanes or (1 if external else 4),
        external=external,
        payload_bits=payload_bits,
        fraction_bits=fraction_bits,
        state_bits=state_bits,
        leak_bits=leak_bits,
        family=family,
        tight=tight,
        shared_rows=shared_rows,
    )
    if net.task is None:
        raise TriodiaError(f"{network} is not trained yet; run `triodia train` on it first.")
    samples = _samples(net, data, bin)
    if weight_bits == "auto" and agree is None:
        agree = _AGREEING
    if agree is not None:
        options = _agreeing(net, samples, options, agree)
    sizing = None
    if external:  # always one PE
        lanes = lanes or 1
    if latency is not None or board is not None:
        sizing = _sizing(show, net, samples, options, lanes, board, latency)
        options = replace(options, lanes=sizing.lanes)
    image = quantize_network(net, samples, options)
    measured = _measured(show, net, image, samples)
    save_image(image, output)
    result = {
        "task": net.task,
        **measured,
        "sizing": sizing and sizing.reason,
        "weight_bits": image.params.weight_bits,
        "exact_neurons": image.meta["exact_neurons"],
        **_memory(image),
        **_board(show, image, family),
        "digest": image.digest(),
        "file": str(output),
    }
    show.result(result, title="Machine image", hide=("sizing",))


def _family(family: str | None, board: str | None) -> str:
    """The FPGA family that was asked for, or that of the board; refused if they differ."""
    own = get_board(board).family if board else None
    if family is not None and family not in FAMILIES:
        raise TriodiaError(f"`--family` must be one of {', '.join(FAMILIES)}, got {family}.")
    if family and own and family != own:
        raise TriodiaError(f"`--family` must be {own}, the family of {board}, or left out.")
    return family or own or "ecp5"


def _external(synapses: str, board: str | None) -> bool:
    """Whether synapses lie in an SDRAM; refused if the board has none."""
    if synapses not in ("chip", "sdram"):
        raise TriodiaError(f"`--synapses` must be chip or sdram, got {synapses}.")
    if synapses == "sdram" and board is not None:
        check_sdram(get_board(board))
    return synapses == "sdram"


def _sizing(
    show: Output,
    net: Network,
    samples: TaskData | None,
    options: QuantizeOptions,
    lanes: int | None,
    board: str | None,
    latency: float | None,
) -> Choice:
    """The PEs that suit a board and a latency; says why these."""
    if samples is None:
        raise TriodiaError(
            "`--board` and `--latency` count cycles on samples; pass them with `--data FILE.npz`."
        )
    with show.bar("Sizing") as bar:
        sized = choose(net, samples, options, lanes, board and get_board(board), latency, bar)
    show.note(sized.reason)
    return sized


def _bits(text: str | None, net: Network) -> int:
    """Bits per weight that were asked for, or that suit how the network was trained."""
    if text is None or text == "auto":
        trained = [step for step in net.provenance if step.get("command") == "train"]
        return (trained[-1].get("weight_bits") if trained else 0) or 8
    if not text.isdecimal() or not 2 <= int(text) <= 16:
        raise TriodiaError(f"`--weight-bits` must be between 2 and 16, or auto; got {text}.")
    return int(text)


def _agreeing(
    net: Network, samples: TaskData | None, options: QuantizeOptions, share: float
) -> QuantizeOptions:
    """``options`` with the fewest weight bits by which that share of the spikes stays."""
    if samples is None:
        raise TriodiaError(
            "`--agree` compares spikes on samples; pass them with `--data FILE.npz`."
        )
    best = 0.0
    for bits in range(2, 17):
        chosen = replace(options, weight_bits=bits)
        found = agreement(net, quantize_network(net, samples, chosen), samples)["spikes_agree"]
        if found >= share:
            return chosen
        best = max(best, found)
    raise TriodiaError(
        f"No width keeps {share:.1%} of the spikes; the best keeps {best:.1%}. Try more"
        " `--leak-bits`, or a lower `--agree`."
    )


def _samples(net: Network, own: Path | None, bin: float | None) -> TaskData | None:
    """Samples of the file ``own``, else of the network's task, if that is a built-in one."""
    if own is not None:
        shape = {"inputs": net.inputs, "classes": net.readouts}
        bin = usual_bin(own, net.provenance) if bin is None else bin
        return load_samples(own, **shape, around=silence(net.provenance), bin=bin)
    return None if net.task == OWN_TASK else get_task(net.task).load()


def _measured(show: Output, net: Network, image: Image, samples: TaskData | None) -> dict:
    """Metrics before and after, none without samples."""
    if samples is None:
        show.note("No samples were given (--data), so the image is not tested.")
        return {"metric_float": None, "metric_integer": None, "samples": 0}
    with show.bar("Integer test") as bar:
        measured = compare_on(net, image, samples, bar)
    if net.task == OWN_TASK and measured["clipped"] > 0:
        show.note(
            f"{measured['clipped']:.1%} of the input values lie outside the input range and are"
            " clipped. For an imported network, `import-nir --input-max` sets the range."
        )
    imported = any(step.get("command") == "import-nir" for step in net.provenance)
    if imported and measured["spikes_agree"] < _AGREEING:
        show.note(
            f"{measured['spikes_agree']:.1%} of the spikes are those of the unquantized network."
            " `--agree 0.99` looks for the weight bits that keep more; `--leak-bits 16"
            " --state-bits 24` help too."
        )
    return measured


def _board(show: Output, image: Image, family: str) -> dict:
    """The smallest board that holds the machine, and its fullest resource."""
    found = smallest_board(image.params, family)
    if found is None:
        show.note(f"No supported board with this family's FPGAs ({family}) holds this machine.")
        return {"smallest_board": None, "percent": {}}
    name, percent = found
    most = max(percent, key=percent.get)
    show.note(f"The smallest board that holds it: {name}, {percent[most]:.0f} % of its {most}.")
    return {"smallest_board": name, "percent": percent}


def _memory(image: Image) -> dict:
    """Sizes of an image: neurons, synapses, bits of each kind of memory, block RAMs."""
    p = image.params
    bits = {f"{s.name}_bits": p.lanes * s.depth * s.width for s in memory_shapes(p)}
    bits |= {f"{s.name}_bits": s.depth * s.width for s in wheel_shapes(p)}
    return {
        "neurons": p.neurons,
        "synapses": image.synapses,
        "synapse_words": int(image.words_per_lane().sum()),
        "shared_rows": p.shared_rows,
        "lanes": p.lanes,
        "accumulator_bits": p.accumulator_bits,
        "accumulator_bound": image.meta.get("accumulator_bound"),
        **{f"{name}_blocks": block_rams(p, Options(family=name)) for name in FAMILIES},
        **bits,
    }
