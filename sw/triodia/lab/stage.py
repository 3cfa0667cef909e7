"""Stages: functions whose results are stored under their inputs and the code they depend on."""

from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from .sources import fingerprint
from .store import Store

__all__ = ["Composed", "Stage", "stage"]

Cost = float | Callable[[dict], float]


class _Step:
    """What a job runs: a name that other processes find, a label and an expected cost."""

    def __init__(self, work: Callable[..., dict], label: str, cost: Cost) -> None:
        self.work, self.label, self.cost = work, label, cost
        self.__module__, self.__name__, self.__doc__ = work.__module__, work.__name__, work.__doc__

    def __reduce__(self) -> str:
        return self.__name__  # other processes import it

    def seconds(self, choices: dict) -> float:
        """Expected seconds of work."""
        return self.cost(choices) if callable(self.cost) else self.cost


class Composed(_Step):
    """A function ``work(store, choices, *needs)`` that calls stages one after the other."""

    def __call__(self, store: Store, choices: dict, *needs: dict) -> dict:
        """What the function returns: a result of :meth:`.Store.make`, or several in one."""
        return self.work(store, choices, *needs)


class Stage(_Step):
    """One step of an experiment: ``work(folder, choices, *needs)`` returns plain JSON.

    ``folder`` is an empty folder for its files, ``choices`` plain JSON values, ``needs`` the
    results of earlier stages. Call the stage with a store in place of the folder; a result that is
    in the store is not computed again.

    Parameters
    ----------
    work : the function. Must be at the top level of a module, so that other processes find it.
    label : what a person reads while it runs.
    cost : expected seconds on the project's 2-core machine, or a function of ``choices``.
    inputs : of ``(choices, *needs)``, what the result depends on. Default: the choices and the
        keys of ``needs``.
    modules, tools : dependencies that no import of ``work`` shows (see :mod:`.sources`):
        modules of this project, and distributions, or a function of ``choices`` that names them.
    """

    def __init__(
        self,
        work: Callable[..., dict],
        *,
        label: str,
        cost: Cost,
        inputs: Callable[..., dict] | None = None,
        modules: tuple[str, ...] = (),
        tools: tuple[str, ...] | Callable[[dict], tuple[str, ...]] = (),
    ) -> None:
        super().__init__(work, label, cost)
        self.inputs, self.modules, self.tools = inputs or _default_inputs, modules, tools
        self.name = work.__name__.strip("_").replace("_", "-")

    def __call__(self, store: Store, choices: dict, *needs: dict) -> dict:
        """The result, from ``store`` if it is there; see :meth:`.Store.make`."""
        tools = self.tools(choices) if callable(self.tools) else self.tools
        inputs = {"inputs": self.inputs(choices, *needs), "code": self.code()}
        inputs["code"] = inputs["code"] | {tool: _version(tool) for tool in tools}
        return store.make(self.name, inputs, lambda folder: self.work(folder, choices, *needs))

    @cache  # noqa: B019 - stages live as long as their module
    def code(self) -> dict[str, str]:
        """Fingerprint of the code that the stage depends on."""
        return fingerprint(self.work, self.modules)


def _version(tool: str) -> str | None:
    try:
        return version(tool)
    except PackageNotFoundError:
        return None


def stage(**options: object) -> Callable[[Callable[..., dict]], Stage]:
    """Decorator that makes a function a :class:`Stage` with these options."""
    return lambda work: Stage(work, **options)


def _default_inputs(choices: dict, *needs: dict) -> dict:
    return {"choices": choices, "needs": [need["key"] for need in needs]}
