"""A study: a plan of choices, a stage that computes one, and rows that summarise all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from triodia.lab.runner import run_all
from triodia.lab.stage import Stage

__all__ = ["Study", "by_seed"]


@dataclass(frozen=True)
class Study:
    """A study that runs in parallel and continues where it stopped.

    ``plan(seeds)`` gives the choices of every job, ``stage`` computes one, and ``rows(choices,
    results)`` makes what is printed of all of them.
    """

    stage: Stage
    plan: Callable[[list[int]], list[dict]]
    rows: Callable[[list[dict], list[dict]], Iterable[dict]]

    def run(self, seeds: list[int], **options: object) -> list[dict]:
        """Rows of the study for ``seeds``; options of :func:`triodia.lab.runner.run_all`."""
        choices = self.plan(seeds)
        return list(self.rows(choices, run_all(self.stage, choices, **options)))


def by_seed(choices: list[dict], results: list[dict]) -> dict[tuple, list[tuple[dict, dict]]]:
    """Choices and their results, grouped by everything but the seed."""
    groups: dict[tuple, list[tuple[dict, dict]]] = {}
    for one, result in zip(choices, results, strict=True):
        key = tuple(repr(v) for k, v in sorted(one.items()) if k != "seed")
        groups.setdefault(key, []).append((one, result))
    return groups
