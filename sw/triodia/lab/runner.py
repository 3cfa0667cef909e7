"""Grids of cells on a dask cluster: every stage once, finished ones from the store."""

import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field

import numpy as np
from dask.distributed import Client, Future, KilledWorker, LocalCluster, WorkerPlugin, as_completed

from triodia_boards.catalog import get_board
from triodia_hw.errors import CheckFailed, TriodiaError

from . import evidence as shown
from . import stages
from .grid import Cell
from .store import Store, Unknown, digest

__all__ = ["explore", "spread"]

Progress = Callable[[str], None]

_ABOUT = ("key", "folder", "cached", "took", "maker")  # of a stage, not of the row
_WAIT = 10.0  # seconds for a scheduler to answer


def explore(
    cells: Sequence[Cell],
    store: Store,
    *,
    confirm: int,
    simulator: str,
    build: bool,
    workers: int,
    scheduler: str | None,
    progress: Progress,
    evidence: bool = False,
) -> list[dict]:
    """One row a cell, in their order; stages that cells share are done once.

    ``confirm`` rows, evenly spread, are co-simulated. With ``evidence`` these have ``traced`` and
    ``spectra`` too, and the densest network of each machine ``dense``, the dense machine
    (:mod:`.evidence`). Without ``build`` nothing is placed and
    routed, and rows have what is known without. A cell whose machine does not fit its board has
    ``fits`` false and the reason. ``scheduler`` is the address of a running dask cluster whose
    workers see the store's folder; else ``workers`` processes of this machine do the work.

    Interrupted, it leaves all finished stages in the store, and goes on from there.

    Raises
    ------
    TriodiaError
        If there is no scheduler at that address, or a stage fails.
    CheckFailed
        If workers keep dying.
    """
    chosen = spread(len(cells), confirm)
    store.clean()
    with suppress(Unknown):  # all from the store, without a cluster
        known = _Sweep(_Here(), store.reader(), 1)
        return known.rows(cells, chosen, simulator, build, evidence)
    with _client(workers, scheduler, store) as client:
        sweep = _Sweep(client, store, workers)
        sweep.start(cells, chosen, simulator, build, evidence)
        sweep.wait(progress)
        return sweep.rows(cells, chosen, simulator, build, evidence)


def spread(count: int, chosen: int) -> list[int]:
    """At most ``chosen`` of ``count`` indices, evenly spread, the ends among them."""
    return sorted(set(np.linspace(0, count - 1, min(chosen, count)).round().astype(int).tolist()))


def _densest(cells: Sequence[Cell]) -> set[int]:
    """Of the cells of each machine for an ECP5 that with the most synapses: its index."""
    best: dict[tuple, int] = {}
    for k, cell in enumerate(cells):
        which = (cell.task, cell.neurons, cell.nodes, cell.lanes, cell.weight_bits)
        if get_board(cell.board).family != "ecp5":
            continue
        if which not in best or cell.synapses > cells[best[which]].synapses:
            best[which] = k
    return set(best.values())


class _Here:
    """As a client, but each stage is done at once, in this process."""

    def submit(self, stage: Callable, *arguments: object, key: str) -> Future:
        future = futures.Future()
        plain = [a.result() if isinstance(a, futures.Future) else a for a in arguments]
        future.set_result(stage(*plain))
        future.key = key
        return future


@contextmanager
def _client(workers: int, scheduler: str | None, store: Store) -> Iterator[Client]:
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=_WAIT)
        except (OSError, ValueError) as error:
            raise TriodiaError(
                f"{scheduler} must be the address of a running dask scheduler, such as "
                f"tcp://host:8786 ({type(error).__name__}); `dask scheduler` starts one"
            ) from None
        with client:
            yield client
        return
    with _without_interrupts():
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        )
    with _tidied(cluster, store), Client(cluster) as client:
        client.register_plugin(_Leader())
        yield client


class _Leader(WorkerPlugin):
    """A worker leads a process group: what it starts, and that in turn, is of it."""

    def setup(self, worker: object) -> None:
        os.setpgid(0, 0)


@contextmanager
def _tidied(cluster: LocalCluster, store: Store) -> Iterator[None]:
    """Close ``cluster``; if an error ends the work, what its workers started ends too.

    Interrupted, they leave nothing half made in ``store``; else what is there says why.
    """
    leaders = []
    try:
        with cluster:
            try:
                yield
            except BaseException:
                leaders = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
                raise
    except BaseException as error:
        for leader in leaders:
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)
        if isinstance(error, KeyboardInterrupt):
            store.drop(leaders)
        raise


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes started meanwhile do not see Ctrl-C: this one ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass
class _Sweep:
    """Stages under way; asking for one twice gives the same one."""

    client: Client | _Here
    store: Store
    workers: int
    futures: dict[str, Future] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def start(
        self,
        cells: Sequence[Cell],
        chosen: Sequence[int],
        simulator: str,
        build: bool,
        evidence: bool,
    ) -> list[dict[str, Future]]:
        """The stages of each cell, those that others wait for first."""
        made = [self._made(cell) for cell in cells]
        densest = _densest(cells) if evidence else []
        for k, (cell, own) in enumerate(zip(cells, made, strict=True)):
            if build:
                own["board"] = self._built(cell, own["machine"])
            if k in densest:
                own |= self._dense(cell, own["machine"], build)
            if k in chosen:
                own["cosim"] = self._confirmed(cell, own["machine"], simulator)
            if k in chosen and evidence:
                own |= self._evidence(cell, own)
        return made

    def _dense(self, cell: Cell, made: Future, build: bool) -> dict[str, Future]:
        which = [made.key, cell.board, cell.place_seed]
        own = {"dense": self._submit("dense design", which, shown.dense_run, cell, made)}
        if build:
            place = self._submit("dense design, placed", which, shown.dense_placed, cell, made)
            own["dense_placed"] = place
        return own

    def _evidence(self, cell: Cell, own: dict[str, Future]) -> dict[str, Future]:
        net, made = own["network"], own["machine"]
        return {
            "traced": self._submit("record", made.key, shown.traced, cell, made),
            "spectra": self._submit("spectra", net.key, shown.spectra, cell, net),
        }

    def rows(self, *asked: object) -> list[dict]:
        """A row for each cell, of stages that are done."""
        made = [{k: f.result() for k, f in own.items()} for own in self.start(*asked)]
        return [_row(cell, own) for cell, own in zip(asked[0], made, strict=True)]

    def _made(self, cell: Cell) -> dict[str, Future]:
        network = self._submit("train", cell.network, stages.trained, cell)
        which = [network.key, cell.samples, cell.weight_bits, cell.lanes, cell.board]
        machine = self._submit("quantize", which, stages.machine, cell, network)
        return {"network": network, "machine": machine}

    def _built(self, cell: Cell, made: Future) -> Future:
        which = [made.key, cell.board, cell.place_seed]
        return self._submit("build", which, stages.built, cell, made)

    def _confirmed(self, cell: Cell, made: Future, simulator: str) -> Future:
        which = [made.key, simulator]
        return self._submit("co-simulate", which, stages.confirmed, cell, made, simulator)

    def _submit(self, kind: str, which: object, stage: Callable, *arguments: object) -> Future:
        key = f"{kind}-{digest(which)[:24]}"
        if key not in self.futures:
            self.futures[key] = self.client.submit(stage, self.store, *arguments, key=key)
            self.kinds[key] = kind
        return self.futures[key]

    def wait(self, progress: Progress) -> None:
        """Until all are done; tells of each, and when it might all be done."""
        start, took, count = time.monotonic(), defaultdict(list), 0
        left = Counter(self.kinds.values())
        for future in as_completed(list(self.futures.values())):
            kind = self.kinds[future.key]
            if future.status == "error":
                _fail(future.exception())
            result = future.result()
            left[kind] -= 1
            count += 1
            if not result["cached"]:
                took[kind].append(result["took"])
            guess = sum(n * np.mean(took[k]) for k, n in left.items() if n and took[k])
            rest = f", about {guess / self.workers:.0f} s left" if guess else ""
            how = "known" if result["cached"] else f"{result['took']:.0f} s"
            passed = time.monotonic() - start
            progress(f"[{passed:5.0f} s] {count} of {len(self.futures)}: {kind} ({how}){rest}")


def _fail(error: BaseException) -> None:
    if isinstance(error, KilledWorker):
        raise CheckFailed(
            "a step's worker process died again and again, perhaps for want of memory; "
            "use fewer workers"
        )
    raise error


def _row(cell: Cell, made: dict[str, dict]) -> dict:
    """What the stages of a cell give, and where its files are."""
    row = {"choices": asdict(cell)}
    parts = (made["network"], made["machine"], stages.fit(cell, made["machine"]))
    for part in (*parts, made.get("board", {})):
        row |= {k: v for k, v in part.items() if k not in _ABOUT}
    row["network"] = f"{made['network']['folder']}/trained.net"
    row["image"] = f"{made['machine']['folder']}/model.image"
    if "fmax_mhz" in row:
        row["us_per_sample"] = round(row["cycles_per_sample"] / row["fmax_mhz"], 2)
    for name in ("cosim", "traced", "spectra"):
        part = made.get(name)
        row[name] = part and {k: v for k, v in part.items() if k not in _ABOUT}
    dense = made.get("dense", {}) | made.get("dense_placed", {})
    row["dense"] = {k: v for k, v in dense.items() if k not in _ABOUT} or None
    return row
