"""Search training settings on folds of the training samples; the test set takes no part."""

from collections.abc import Callable
from time import monotonic

import numpy as np

from ..network.network import Network
from ..tasks.catalog import Task, TaskData
from .loop import settings_for, train
from .measure import evaluate

__all__ = ["SPACE", "tune"]

FOLDS = 3
# name: least, greatest, whether the scale is logarithmic
SPACE = {
    "lr": (0.004, 0.06, True),
    "dropout": (0.0, 0.2, False),
    "noise": (0.0, 0.5, False),
    "shift": (0.0, 0.3, False),
    "warp": (0.0, 0.15, False),
    "slope": (2.0, 12.0, True),
    "input_gain": (0.25, 2.0, True),
    "bias_spread": (0.0, 1.5, False),
    "tau_out": (2.0, 100.0, True),
}


def tune(
    net: Network,
    task: Task,
    data: TaskData,
    *,
    seconds: float,
    seed: int = 0,
    keep: bool = False,
    progress: Callable[[float, str], None] | None = None,
    **options: object,
) -> tuple[dict, list[dict]]:
    """The settings that do best on held-out training samples, and all trials.

    Each trial trains ``net`` on three splits of the training samples, a quarter held out. The
    first trial is ``options`` over the task's recipe; Optuna's tree-structured Parzen estimator
    (Bergstra et al. 2011) proposes the others until ``seconds`` have passed; ``options`` stay as
    they are, and ``keep`` is that of :func:`~.loop.train`. ``progress`` gets the part of the time
    that has passed and the best accuracy.
    """
    import optuna  # slow to import

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {name: bounds for name, bounds in SPACE.items() if name not in options}
    base, start, trials = vars(settings_for(task, options)), monotonic(), []

    def score(trial: optuna.Trial) -> float:
        chosen = {
            name: trial.suggest_float(name, low, high, log=log)
            for name, (low, high, log) in space.items()
        }
        found = float(
            np.mean([
                _fold(net, task, data, k, options | chosen | {"keep": keep}) for k in range(FOLDS)
            ])
        )
        trials.append({"accuracy": found, **chosen})
        if progress is not None:
            best = max(one["accuracy"] for one in trials)
            progress(min((monotonic() - start) / seconds, 1.0), f"best accuracy {best:.3f}")
        return found

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8)
    )
    study.enqueue_trial({
        n: float(np.clip(base[n], low, high)) for n, (low, high, _) in space.items()
    })
    study.optimize(score, timeout=seconds)
    return dict(study.best_params), trials


def _fold(net: Network, task: Task, data: TaskData, index: int, options: dict) -> float:
    """Accuracy on the held-out part of split ``index``."""
    split = data.held_out(0.25, index)
    trained, _ = train(net, task, data=split, seed=index, **options)
    return evaluate(trained, split)["accuracy"]
