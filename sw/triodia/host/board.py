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
from triodia_hw.machine.words import COUNTERS, OUTPUT_KINDS, READ_KINDS

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

_AHEAD = 8192  # bytes of steps handed to the link before their results are awaited
_HELLO = 0.25  # seconds between two of them

Progress = Callable[[int, int], None]


def open_board(
    name: str, *, baud: int = BAUD, timeout: float = 5.0, seed: int | None = None
) -> "Board":
    """Connect to the board at serial port ``name`` (a device, or a URL of pyserial).

    The machine is reset, and holds whatever network it was given last. ``timeout``: seconds
    without any progress before it is given up. ``seed`` makes session numbers repeatable.

    Raises
    ------
    LinkError
    """
    return Board(open_port(name, baud), timeout=timeout, seed=seed)


class Board:
    """A machine over the link; a context manager that closes the port.

    Nothing of a damaged transfer is ever seen here: it is repeated, or :class:`LinkError` raised.

    Attributes
    ----------
    welcome : what the board says of itself. image : the network that was loaded, placed for this
        machine, or None. session : counts what went wrong on the line.
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
        """Begin a session of a number that the board does not know, which resets the machine."""
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
        """Why nothing came for too long."""
        heard = time.monotonic() - self.session.heard < self.timeout
        if self.session.welcome is None:
            noise = "only noise" if self.session.bad else "no answer"
            return NoAnswer(
                f"{noise} from {self._port.name} in {self.timeout:g} s; check the cable, the baud "
                "rate, and that the board has a Triodia bitstream of this version"
            )
        if self.session.other is not None:
            return BoardRestarted(
                f"the board at {self._port.name} was reset or taken by another host; load and run "
                "again"
            )
        if not heard:
            return NoAnswer(
                f"{self._port.name} was silent for {self.timeout:g} s; check the cable and run "
                "again"
            )
        return Stuck(
            f"the machine at {self._port.name} put out nothing for {self.timeout:g} s; reset it "
            "and load the network again"
        )

    def _pump(self, waiting: bool) -> None:
        """Move bytes both ways once; waits a moment for some to come."""
        line = self.session.output(time.monotonic(), waiting=waiting)
        if line:
            self._port.write(line)
        self.session.feed(self._port.read(), time.monotonic())
        if self.session.fault:
            raise MemoryFault(
                f"a bit flipped in the memories of the board at {self._port.name}, found by its "
                "parity; load the network and run again"
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
        """Begin a new session: the machine starts afresh, whatever it was doing."""
        self.bad += self.session.bad
        self.repeats += self.session.repeats
        self._connect()

    def close(self) -> None:
        """Close the port; the machine stays as it is."""
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
        """Load ``image``, which may be smaller than the machine; state is cleared.

        Raises
        ------
        WrongBoard, LinkError
            If the network does not fit, naming the parameter; if the link fails.
        """
        if not self.welcome.loadable:
            raise WrongBoard(
                "the bitstream was built with its network fixed; build one that can be loaded"
            )
        try:
            placed = fit_capacity(image, self.welcome.params)
        except ContractError as error:
            raise WrongBoard(f"the network does not fit the loaded bitstream: {error}") from None
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
        """Say that the machine holds ``image`` already, baked into its bitstream."""
        if image.params != self.welcome.params:
            raise WrongBoard("the bitstream was built for a network of other parameters; load it")
        self.image = image
        self._reader = StepReader(image)

    def send(self, events: list[Event], last: bool = False) -> None:
        """Hand a step to the link; :meth:`receive` waits for its results."""
        if self.image is None:
            raise LinkError("no network was loaded in this session; load one first")
        self.session.send(self._words.step(events, last))
        self._steps.append(last)
        if self.session.unsent > _AHEAD // 2:
            self._pump(waiting=False)

    def receive(self) -> StepOutput:
        """Results of the step sent first of those that were not answered yet."""
        while True:
            for word in self._take():
                result = self._item(word)
                if result is not None:
                    return result

    def _take(self) -> Iterator[dict[str, int]]:
        """Words that came, at least one."""
        size = self._words.out_bytes
        self._until(lambda: len(self.session.received) >= size, waiting=True)
        yield from _ones(self._words, self.session.received)

    def _item(self, word: dict[str, int]) -> StepOutput | None:
        try:
            result = self._reader.take(word)
        except ValueError as error:
            raise WrongBoard(
                f"the machine put out what {error} cannot be of this network; load it again"
            ) from None
        if result is not None and result.last != self._steps.popleft():
            raise WrongBoard("a step ended that was not the one sent; load the network again")
        return result

    def step(self, events: list[Event], last: bool = False) -> StepOutput:
        """Run one step and wait for its results; one trip over the line and back."""
        self.send(events, last)
        return self.receive()

    def run(self, sequences: Iterable[list[list[Event]]]) -> Iterator[list[StepOutput]]:
        """Results of each sequence, in order; the next ones are sent while results come."""
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
        """A word of each neuron's state; only between steps."""
        if self.image is None or self._steps:
            raise LinkError("state is read between steps, of a network that was loaded")
        self.session.send(self._words.word("read", source=READ_KINDS[kind]))
        values: dict[int, int] = {}
        while True:
            for word in self._take():
                if word["kind"] == OUTPUT_KINDS["end"]:
                    sources = self.image.source_of_neuron().tolist()
                    return np.array([values[source] for source in sources], np.int64)
                values[word["source"]] = word["value"]

    def state(self) -> State:
        """``v``, ``u`` and ``r`` of every neuron, after the last step."""
        return State(*(self._read(kind) for kind in ("v", "u", "r")))

    def counters(self) -> dict[str, int]:
        """The machine's counters since its reset; between steps."""
        if self._steps:
            raise LinkError("counters are read between steps; receive their results first")
        self.session.send(self._words.word("read", source=READ_KINDS["counters"]))
        halves: list[int] = []
        while len(halves) < 2 * len(COUNTERS):
            halves += [word["value"] & 0xFFFF for word in self._take()]
        pairs = zip(halves[::2], halves[1::2], strict=True)
        return dict(zip(COUNTERS, (low + (high << 16) for low, high in pairs), strict=True))


def _ones(words: Words, received: bytearray) -> Iterator[dict[str, int]]:
    """Whole words off the front of ``received``, one at a time."""
    while len(received) >= words.out_bytes:
        yield words.first(received)
