"""A dask cluster whose worker processes leave nothing behind when a person interrupts."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dask.distributed import Client, LocalCluster, WorkerPlugin

from triodia_hw.errors import TriodiaError

from .store import Store

__all__ = ["connect"]

_WAIT = 10.0  # seconds for a scheduler to answer


@contextmanager
def connect(workers: int, scheduler: str | None, store: Store) -> Iterator[Client]:
    """A client of the cluster at ``scheduler``, or of ``workers`` processes of this machine.

    Own workers and their children end with the block. Interrupted, they leave no
    half-made result in ``store``; after an error it stays, and says why.

    Raises
    ------
    TriodiaError
        If there is no scheduler at that address.
    """
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
    """Each worker leads its own process group, so its children can be ended with it."""

    def setup(self, worker: object) -> None:
        os.setpgid(0, 0)


@contextmanager
def _tidied(cluster: LocalCluster, store: Store) -> Iterator[None]:
    """Close ``cluster``; if an error ends the work, end what its workers started too."""
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
