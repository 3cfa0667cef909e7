"""A board at the end of a serial line, as a Python object."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

import numpy as np

from triodia_hw.compile.loading import load_bytes
from triodia_hw.compile.retarget import fit_capacity
from triodia_hw.errors import ContractError
from triodia_hw.link.welcome import BadWelcome, Welcome
from triodia_hw.machine.image import Image
from triodia_hw.machine.neuron import State
from triodia_hw.machine.reference import Event
from triodia_hw.machine.words import COUNTERS, OUTPUT_KINDS, READ_KINDS, readable

from .errors import (
    BoardRestarted,
    LinkError,
    MemoryFault,
    NoAnswer,
    Stuck,
    WrongBoard,
)
from .port import Port, open_port
from .session import Session
from .words import StepOutput, StepReader, Words

__all__ = ["BAUD", "Board", "open_board"]

BAUD = 1_000_000

_AHEAD = 8192  # bytes of steps sent before their results are awaited
_HELLO = 0.25  # seconds between two hellos

Progress = Callable[[int, int], None]


def open_board(
    name: str, *, baud: int = BAUD, timeout: float = 5.0, seed: int | None = None
) -> "Board":
    """Connect to the board at serial port ``name`` (a device, or a pyserial URL).

    The machine is reset and keeps the network it was given last. ``timeout``: seconds without
    progress before giving up. ``seed`` makes session numbers repeatable.

    Raises
    ------
    LinkError
    """
    return Board(open_port(name, baud), timeout=timeout, seed=seed)


class Board:
    """A machine over the link; a context manager that closes the port.

    Damaged transfers are repeated; if that does not help, :class:`LinkError` is raised.

    Attributes
    ----------
    welcome : the board's description of itself. image : the loaded network, placed for this
        machine, or None. session : counts transmission errors.
    """

    def __init__(self, port: Port, *, timeout: float = 5.0, seed: int | None = None) -> None:
        self._port, self.timeout, self._chance = port, timeout, random.Random(seed)
        self.image: Image | None = None
        self.bad = self.repeats = 0  # of sessions before this one
        try:
            self._connect()
        except BaseException:
            port.close()
            raise

    # -- the session

    def _connect(self) -> None:
        """Begin a session with a number new to the board, which resets the machine."""
        for _ in range(4):
            self.session = Session(self._chance.randrange(1, 1 << 16), time.monotonic())
            begun, said = time.monotonic(), -_HELLO
            while self.session.welcome is None:
                now = time.monotonic()
                if now - begun > self.timeout:
                    raise self._silence()
                if now - said > _HELLO:
                    self._port.write(self.session.hello())
                    said = now
                self.session.feed(self._port.read(), time.monotonic())
            if self.session.fresh:
                break
        try:
            self.welcome = Welcome.decode(self.session.welcome)
        except BadWelcome as error:
            raise WrongBoard(str(error)) from None
        self._words = Words(self.welcome.params)
        self._steps: deque[bool] = deque()  # sent, not answered: whether they end a sequence
        self._reader = StepReader(self.image) if self.image else None

    def _silence(self) -> LinkError:
        """The error for a board that was silent for too long."""
        heard = time.monotonic() - self.session.heard < self.timeout
        if self.session.welcome is None:
            noise = "Only noise" if self.session.bad else "No answer"
            return NoAnswer(
                f"{noise} from {self._port.name} in {self.timeout:g} s. Check the cable, the baud "
                "rate, and that the board has a Triodia bitstream of this version."
            )
        if self.session.other is not None:
            return BoardRestarted(
                f"The board at {self._port.name} was reset or taken over by another host. Load the "
                "network and run again."
            )
        if not heard:
            return NoAnswer(
                f"{self._port.name} was silent for {self.timeout:g} s. Check the cable and run "
                "again."
            )
        return Stuck(
            f"The machine at {self._port.name} sent no result for {self.timeout:g} s. Reset it "
            "and load the network again."
        )

    def _pump(self, waiting: bool) -> None:
        """Move bytes both ways once; wait a moment for some to arrive."""
        line = self.session.output(time.monotonic(), waiting=waiting)
        if line:
            self._port.write(line)
        self.session.feed(self._port.read(), time.monotonic())
        if self.session.fault and self.welcome.params.external:
            raise MemoryFault(
                f"The SDRAM of the board at {self._port.name} answers wrongly: the test pattern of"
                " its start was not read back. Check the board and configure it again."
            )
        if self.session.fault:
            raise MemoryFault(
                f"Parity found a bit flip in the memory of the board at {self._port.name}. Load"
                " the network and run again."
            )

    def _until(self, done: Callable[[], bool], *, waiting: bool) -> None:
        mark, since = None, time.monotonic()
        while not done():
            self._pump(waiting)
            now = time.monotonic()
            position = (len(self.session.received), self.session.unsent)
            if position != mark:
                mark, since = position, now
            elif now - since > self.timeout:
                raise self._silence()

    def reset(self) -> None:
        """Begin a new session, which resets the machine."""
        self.bad += self.session.bad
        self.repeats += self.session.repeats
        self._connect()

    def close(self) -> None:
        """Close the port; the machine keeps its state."""
        self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- the machine

    def load(self, image: Image, progress: Progress | None = None) -> None:
        """Load ``image``, which may be smaller than the machine, and clear the state.

        Raises
        ------
        WrongBoard, LinkError
            If the network does not fit, naming the parameter; if the link fails.
        """
        if not self.welcome.loadable:
            raise WrongBoard(
                "The network in this bitstream is fixed. Use `--baked`, or build a bitstream that"
                " can be loaded."
            )
        try:
            placed = fit_capacity(image, self.welcome.params)
        except ContractError as error:
            raise WrongBoard(f"The network does not fit this bitstream: {error}") from None
        self.image = placed
        self.reset()
        data = load_bytes(placed)
        self.session.send(data[:-1], load=True)
        self.session.send(self._words.word("load", last=True, source=data[-1]))

        def loaded() -> bool:
            if progress:
                progress(len(data) - min(self.session.unsent, len(data)), len(data))
            return not self.session.unsent

        self._until(loaded, waiting=False)
        self.counters()  # answered only when all of it has been taken

    def assume(self, image: Image) -> None:
        """Declare that the machine already holds ``image``, baked into its bitstream."""
        if image.params != self.welcome.params:
            raise WrongBoard(
                "The bitstream was built for a network of other parameters. Load this one instead."
            )
        self.image = image
        self._reader = StepReader(image)

    def send(self, events: list[Event], last: bool = False) -> None:
        """Send a step; :meth:`receive` waits for its results."""
        if self.image is None:
            raise LinkError("No network was loaded in this session; load one first.")
        self.session.send(self._words.step(events, last))
        self._steps.append(last)
        if self.session.unsent > _AHEAD // 2:
            self._pump(waiting=False)

    def receive(self) -> StepOutput:
        """Results of the oldest step that has not been answered."""
        while True:
            for word in self._take():
                result = self._item(word)
                if result is not None:
                    return result

    def _take(self) -> Iterator[dict[str, int]]:
        """Wait for words and return those that arrived, at least one."""
        size = self._words.out_bytes
        self._until(lambda: len(self.session.received) >= size, waiting=True)
        yield from _ones(self._words, self.session.received)

    def _item(self, word: dict[str, int]) -> StepOutput | None:
        try:
            result = self._reader.take(word)
        except ValueError as error:
            raise WrongBoard(
                f"The machine sent {error}, which this network cannot produce. Load it again."
            ) from None
        if result is not None and result.last != self._steps.popleft():
            raise WrongBoard(
                "Results came for a step other than the one sent. Load the network again."
            )
        return result

    def step(self, events: list[Event], last: bool = False) -> StepOutput:
        """Run one step and wait for its results: one round-trip."""
        self.send(events, last)
        return self.receive()

    def run(self, sequences: Iterable[list[list[Event]]]) -> Iterator[list[StepOutput]]:
        """Results of each sequence, in order; later sequences are sent meanwhile."""
        sizes: deque[int] = deque()
        for sequence in sequences:
            for t, events in enumerate(sequence):
                self.send(events, t == len(sequence) - 1)
            sizes.append(len(sequence))
            while self.session.unsent > _AHEAD:
                yield [self.receive() for _ in range(sizes.popleft())]
        while sizes:
            yield [self.receive() for _ in range(sizes.popleft())]

    def _read(self, kind: str) -> np.ndarray:
        """One word of state per neuron; only between steps."""
        if self.image is None or self._steps:
            raise LinkError("State can only be read between steps, and after a network was loaded.")
        self.session.send(self._words.word("read", source=READ_KINDS[kind]))
        values: dict[int, int] = {}
        while True:
            for word in self._take():
                if word["kind"] == OUTPUT_KINDS["end"]:
                    sources = self.image.source_of_neuron().tolist()
                    return np.array([values[source] for source in sources], np.int64)
                values[word["source"]] = word["value"]

    def state(self) -> State:
        """State of every neuron after the last step."""
        return State(*(self._read(kind) for kind in readable(self.welcome.params)))

    def counters(self) -> dict[str, int]:
        """The machine's counters since its reset; only between steps."""
        if self._steps:
            raise LinkError("Counters can only be read between steps; receive their results first.")
        self.session.send(self._words.word("read", source=READ_KINDS["counters"]))
        halves: list[int] = []
        while len(halves) < 2 * len(COUNTERS):
            halves += [word["value"] & 0xFFFF for word in self._take()]
        pairs = zip(halves[::2], halves[1::2], strict=True)
        return dict(zip(COUNTERS, (low + (high << 16) for low, high in pairs), strict=True))


def _ones(words: Words, received: bytearray) -> Iterator[dict[str, int]]:
    """Take whole words off the front of ``received``, one at a time."""
    while len(received) >= words.out_bytes:
        yield words.first(received)
