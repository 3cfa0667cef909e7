"""Co-simulation at the speed of compiled code: the whole bench is played by a C++ program.

The same actions as in cocotb (:mod:`.exercise`) become a program; :mod:`.replay` compares what the
program logged. Undefined values are not seen here: Verilator has none.
"""

import random
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import export_verilog
from triodia_hw.lock import alone
from triodia_hw.machine.image import Image
from triodia_hw.machine.words import INPUT_KINDS, READ_KINDS, input_fields, read_bits

from .exercise import Action, exercise
from .folder import copy_verilog, machine_name
from .native_build import compile_native, default_cache
from .replay import Replay
from .result import CosimResult
from .scoreboard import Sequence
from .sdram import PATIENCE, fault_in
from .simulators import CosimError

__all__ = ["cosimulate_native", "play"]

_OPERATIONS = "send answered pace shut idle reset settled forget counts note".split()
_CODE = {name: code for code, name in enumerate(_OPERATIONS)}
_LONGEST = 5000  # words of a block: more than cocotb has time for
_ONE = 1 << 32  # a chance of 1


def samples(sequences: list[Sequence]) -> Iterator[Action]:
    """Every step of every sequence, then a wait and the counters."""
    for number, sequence in enumerate(sequences):
        yield "sequence", number
        for step, events in enumerate(sequence):
            yield from (("event", channel, payload) for channel, payload in events)
            yield "end", step == len(sequence) - 1
    yield ("wait",)
    yield ("settled",)


class _Program:
    """Operations for the harness, and for each the action it belongs to."""

    def __init__(self, image: Image, seed: int) -> None:
        self.slots, self.read_bits = image.params.slots, read_bits(image.params)
        self.widths = {name: width for name, width, _ in input_fields(image.params)}
        self.random, self.stray = random.Random(seed), False
        self.rows: list[tuple[int, ...]] = []
        self.meanings: list[Action] = []

    def add(self, meaning: Action, operation: str, *arguments: int) -> None:
        self.rows.append((_CODE[operation], *arguments, *[0] * (4 - len(arguments))))
        self.meanings.append(meaning)

    def send(self, meaning: Action, kind: str, **fields: int) -> None:
        """A word; fields that are not given do not count."""
        for name in ("last", "source", "payload"):
            other = self.random.getrandbits(self.widths[name]) if self.stray else 0
            fields.setdefault(name, other)
        values = (fields[name] for name in ("last", "source", "payload"))
        self.add(meaning, "send", INPUT_KINDS[kind], *values)

    def ask(self, meaning: Action, what: str) -> None:
        """A read; only the low bits of its source count."""
        bits = self.read_bits
        high = self.random.getrandbits(self.widths["source"] - bits) if self.stray else 0
        self.send(meaning, "read", source=READ_KINDS[what] | high << bits)

    def action(self, action: Action) -> None:
        """Add an action of a bench."""
        name, *values = action
        none = ("nothing",)
        if name == "event":
            self.send(action, "event", source=values[0], payload=values[1])
        elif name == "end":
            self.send(action, "end", last=int(values[0]))
        elif name == "read":
            self.ask(action, values[0])
        elif name == "load":
            for k, byte in enumerate(values[0]):
                self.send(none, "load", last=int(k == len(values[0]) - 1), source=byte)
            self.add(("loaded", values[1]), "note")
        elif name == "stray":
            self.stray = True
        elif name == "pace":
            chances = [int(min(value, 0.999) * _ONE) for value in values]
            self.add(none, "pace", *(c - _ONE if c >= _ONE // 2 else c for c in chances))
        elif name == "wait":
            self.add(none, "answered")
            self.add(none, "idle", 64 + self.slots)
        elif name == "settled":
            self.add(none, "settled")
            self.add(("counts",), "counts")
        elif name == "counters":
            self.action(("wait",))
            self.action(("settled",))
            self.ask(("report",), "counters")
            self.action(("wait",))
            self.add(("reported",), "note")
        elif name == "report":
            self.ask(("report",), "counters")
        elif name == "reported":
            self.add(("shown while busy",), "counts")
        elif name == "drain":
            self.add(("drained",), "forget")
            self.add(("counted anew",), "counts")
        elif name in ("shut", "idle", "reset"):
            self.add(action, name, *values)
        else:
            self.add(action, "note")


def play(
    program: Path,
    image: Image,
    actions: Iterable[Action],
    folder: Path,
    *,
    state: bool = False,
    seed: int = 0,
    limit: int = 1 << 62,
    start: int = 0,
    mutant: int | None = None,
) -> Replay:
    """Run actions on a compiled machine whose .hex files are in ``folder``, and compare.

    ``limit``: cycles after which a machine that is not through counts as stuck. ``mutant``: the
    fault of a machine that has several. ``start``: what its counters show at first.

    Raises :class:`CosimError` if the program fails.
    """
    code = _Program(image, seed)
    for action in actions:
        code.action(action)
    np.array(code.rows, "<i4").tofile(folder / "program.bin")
    p = image.params
    patience = 2000 + 4 * (image.synapses + p.neurons + 8 * p.rows)
    patience += PATIENCE if p.external else 0
    command = [program, "program.bin", "log.bin", "state.bin" if state else "-"]
    command += [p.slots, seed, patience, limit, *([] if mutant is None else [mutant])]
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        rule = fault_in(done.stdout + done.stderr)
        if rule:
            raise CosimError(f"the compiled machine stopped: {rule}")
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or [str(done.returncode)]
        raise CosimError(f"the compiled machine failed ({reason[0]})")
    replay = Replay(image, code.meanings, folder / "state.bin" if state else None, start)
    replay.run(np.fromfile(folder / "log.bin", "<i4").reshape(-1, 8))
    return replay


def cosimulate_native(
    image: Image,
    sequences: list[Sequence],
    folder: str | Path,
    *,
    state: bool = False,
    stall: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
    verilog: str | Path | None = None,
    more: bool = True,
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> CosimResult:
    """Like :func:`.runner.cosimulate`, by a compiled machine; parameters as there.

    ``more``: also the exercise. ``cache``: folder of compiled machines, by default the user's.

    Raises
    ------
    CosimError
        If Verilator, make or g++ is missing, or something fails; a mismatch is a result.
    """
    folder = Path(folder).resolve()
    with alone(folder, "co-simulation"):
        if verilog is None:
            export_verilog(image, folder)
            top = TOP
        else:
            copy_verilog(Path(verilog), folder)
            top = machine_name(Path(verilog), image.digest())
        text = (folder / f"{top}.v").read_text()
        program = compile_native(
            text, top, image.params, cache or default_cache(), progress=progress
        )
        progress("Comparing")

        def actions() -> Iterator[Action]:
            yield "pace", *stall
            yield from samples(sequences)
            yield ("samples over",)
            if more:
                yield "pace", 0.0, 0.0
                yield from exercise(image, seed, longest=_LONGEST)

        replay = play(program, image, actions(), folder, state=state, seed=seed)
    return replay.result(sequences, exact=not state and not any(stall))
