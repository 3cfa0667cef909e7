"""``infer``: samples through the integer reference, with nothing but numpy."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from triodia_hw.machine.image import Image, load_image
from triodia_hw.machine.reference import Event
from triodia_hw.machine.trace import trace

from ..quantize.inference import input_events
from ..tasks.own import image_samples
from .console import Output, shows_unicode
from .options import Bin, ImageFile, Json
from .raster import raster

__all__ = ["infer"]


def infer(
    image: ImageFile,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLES", help="Samples (.npz: x, optional lengths, y), or events."
        ),
    ],
    bin: Bin = None,
    limit: Annotated[
        int, typer.Option("--samples", help="Samples to run, spread evenly.", min=1)
    ] = 3,
    spikes: Annotated[
        bool, typer.Option("--raster/--no-raster", help="Show the spikes of each sample.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Classify samples with the integer reference; show their spikes in the terminal."""
    show, loaded = Output(as_json), load_image(image)
    held = image_samples(loaded, own=data, bin=bin)
    sequences = input_events(loaded, held.x_test, held.len_test, limit=limit)
    chosen = np.linspace(0, len(held.x_test) - 1, len(sequences)).astype(int)
    rows = []
    for number, sequence in zip(chosen.tolist(), sequences, strict=True):
        label = int(held.y_test[number])
        row, fired = _inferred(loaded, sequence)
        rows.append({"sample": number, "label": label if label >= 0 else None, **row})
        if not as_json:
            _print(show, rows[-1], fired if spikes else None)
    known = [row for row in rows if row["label"] is not None]
    right = sum(row["class"] == row["label"] for row in known)
    if as_json:
        show.json({"image": str(image), "samples": rows, "labelled": len(known), "right": right})
    elif known:
        show.say(f"{right} of {len(known)} right")


def _inferred(image: Image, sequence: list[list[Event]]) -> tuple[dict, np.ndarray]:
    """Class, scores and counts of a sequence, and its spikes ``(steps, spiking neurons)``."""
    found = trace(image, sequence)
    scores = found.scores
    row = {
        "class": int(np.argmax(scores)) if scores.size else None,
        "steps": len(sequence),
        "spikes": int(found.spikes.sum()),
        "sops": int(found.sops.sum()),
        "scores": scores.tolist(),
    }
    return row, found.spikes[:, image.neurons.spiking]


def _print(show: Output, row: dict, fired: np.ndarray | None) -> None:
    verdict = ""
    if row["label"] is not None:
        verdict = f", label {row['label']}: {'right' if row['class'] == row['label'] else 'WRONG'}"
    show.say(
        f"Sample {row['sample']}: class {row['class']}{verdict}"
        f" ({row['steps']:,} steps, {row['spikes']:,} spikes)"
    )
    if fired is not None:
        show.say("\n".join([*raster(fired, min(show.width, 80), unicode=shows_unicode()), ""]))
