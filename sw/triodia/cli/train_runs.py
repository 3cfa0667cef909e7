"""The trainings that ``train`` runs: one or several seeds, their records and their summary."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..network.files import save_network
from ..network.network import Network
from ..tasks.catalog import Task, TaskData
from ..train.device import find_device
from ..train.diary import sparkline, write_csv, write_events
from ..train.loop import TrainReport, train
from ..train.measure import evaluate
from ..train.tune import tune
from .console import Output, shows_unicode

__all__ = ["Diary", "run_all", "search"]

_FITTED = 0.9  # training accuracy below which the user is told


@dataclass(frozen=True)
class Diary:
    """Files that a training keeps beside its network; None for none."""

    checkpoint: Path | None = None
    log: Path | None = None
    events: Path | None = None

    def write(self, history: list[dict]) -> None:
        """The history of a finished training; its checkpoint goes."""
        if self.log is not None:
            write_csv(self.log, history)
        if self.events is not None:
            write_events(self.events, history)
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)


def search(
    show: Output,
    net: Network,
    task: Task,
    samples: TaskData,
    minutes: float,
    seed: int,
    keep: bool,
    options: dict,
) -> dict:
    """Settings that ``tune`` finds in so many minutes."""
    with show.bar("Searching settings") as bar:
        best, trials = tune(
            net,
            task,
            samples,
            seconds=60 * minutes,
            seed=seed,
            keep=keep,
            progress=lambda part, remark: bar(part, 1, remark),
            **options,
        )
    top = max(trial["accuracy"] for trial in trials)
    show.note(
        f"{len(trials)} settings tried; accuracy on held-out training samples"
        f" {trials[0]['accuracy']:.1%} by the usual ones, {top:.1%} by the best:"
    )
    show.note(" ".join(f"--set {name}={value:.3g}" for name, value in best.items()))
    return best


def run_all(
    show: Output,
    net: Network,
    task: Task,
    samples: TaskData,
    seeds: Iterable[int],
    output: Path,
    diary: Diary,
    **options: object,
) -> dict:
    """Train with each seed; save the first seed's network; return the command's result."""
    rows = []
    for seed in seeds:
        trained, report = _trained(
            show, net, task, data=samples, seed=seed, checkpoint=diary.checkpoint, **options
        )
        _remark(show, report)
        measured = evaluate(trained, samples, device=str(options["device"]))
        if not rows:
            tested = trained.with_provenance(command="test", task=task.name, measured=measured)
            save_network(tested, output)
            diary.write(report.history)
        rows.append(_row(seed, report, measured))
    result = {"task": task.name, "metric_name": task.metric, **rows[0]}
    result |= {"device": str(find_device(str(options["device"]))), "file": str(output)}
    return result if len(rows) == 1 else result | _summary(rows)


def _row(seed: int, report: TrainReport, measured: dict) -> dict:
    row = {"metric": measured["accuracy"], "rate": measured["rate"]}
    row |= {"sops_per_sample": measured["sops"], "loss": report.loss}
    row |= {"train_metric": report.train["accuracy"], "epochs": report.settings["epochs"]}
    scores = [entry["validation"] for entry in report.history if "validation" in entry]
    if scores:
        row["validation_metric"] = max(scores)
    return row | {"seed": seed}


def _summary(rows: list[dict]) -> dict:
    """Mean of the metric over seeds, and half of its 95 % interval by Student's t."""
    from scipy.stats import t  # slow to import

    values = np.array([row["metric"] for row in rows])
    half = t.ppf(0.975, len(rows) - 1) * values.std(ddof=1) / np.sqrt(len(rows))
    return {
        "seeds": len(rows),
        "metric_mean": float(values.mean()),
        "metric_interval": float(half),
        "train_metric_mean": float(np.mean([row["train_metric"] for row in rows])),
        "by_seed": rows,
    }


def _remark(show: Output, report: TrainReport) -> None:
    line = sparkline([entry["loss"] for entry in report.history], unicode=shows_unicode())
    losses = report.history[0]["loss"], report.loss
    show.note(f"Loss {losses[0]:.3g} {line} {losses[1]:.3g}")
    fitted = report.train["accuracy"]
    if fitted < _FITTED:
        show.note(
            f"Warning: only {fitted:.0%} of the training samples are fitted. Try more `--epochs`,"
            " `--tune 10` to search settings for ten minutes, or more neurons."
        )


def _trained(
    show: Output, net: Network, task: Task, **options: object
) -> tuple[Network, TrainReport]:
    with show.bar("Training") as bar:
        return train(
            net,
            task,
            progress=lambda e: bar(
                e["epoch"], e["epochs"], f"loss {e['loss']:.3f}, rate {e['rate']:.3f}"
            ),
            **options,
        )
