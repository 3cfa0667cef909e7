"""The plan of the study of LNP: its cells, in order of computation."""

from .cell import LEVELS, RICH, TASKS, Cell

__all__ = ["LATE", "METHODS", "OURS", "STEPS", "VARIANTS", "plan"]

METHODS = (
    "lnp",
    "random",
    "weight-sampling",
    "noise-weights",
    "magnitude",
    "activity",
    "born-sparse",
)
OURS = ("slow", "lnp-degree")  # variants of this project
LATE = ("dense", "lnp", "random", "weight-sampling", "noise-weights", "magnitude", "activity")
STEPS = ("I", "I+II", "I+II+III", "I+II+III+IV")
_FROZEN = tuple(TASKS)[:10]  # of the main table with a frozen recurrent part
_CLASSIFIED = ("digits", "japanese-vowels", "fashion-mnist")
_STAGES = ("lnp", "random")  # of an ablation
_SHORT = ("lorenz-x", "japanese-vowels", "digits")  # of ablation and what follows
VARIANTS = {  # one open choice changed at a time; options of prune()
    "edges=weights": {"edges": "weights"},
    "neighbourhood=weighted": {"neighbourhood": "weighted"},
    "rescale": {"rescale": True},
    "compensate": {"compensate": True},
    "rescale, compensate": {"rescale": True, "compensate": True},
    "slope=1": {"slope": 1.0},
    "reset in Jacobian": {"reset": True},
    "choice=random": {"choice": "random"},
    "choice=localised": {"choice": "localised"},
    "objective=edge": {"objective": "edge"},
}


def plan(seeds: int, quick: bool = False) -> list[Cell]:
    """All cells, the main table first; ``quick`` leaves out BP, STDP and slow tasks.

    The delayed sum and the readout part have twice the ``seeds``; all of Fashion-MNIST at most 3.
    """
    parts = [_main("ridge", _FROZEN), _why(), _ablation(), _gain(), _dynamics(), _feed_forward()]
    if quick:
        parts = [_main("ridge", ("lorenz", "digits", "wind")), _ablation(("digits",)), _dynamics()]
        return _cells(parts, seeds, quick)
    parts += [_main("stdp", (*_CLASSIFIED, "watch")), _main("bp", _CLASSIFIED)]
    parts += [_few("watch", "activity"), _sensitivity(), _networks(), _ours()]
    parts += [_inputs()]
    longer = [_memory(), _readout(), _memory_inputs()]
    cells = _cells(parts, seeds, quick) + _cells(longer, 2 * seeds, quick)
    return cells + _cells([_few("fashion-mnist-all")], min(seeds, 3), quick)


def _cells(parts: list[list[dict]], seeds: int, quick: bool) -> list[Cell]:
    return [
        Cell(**kind, seed=seed, quick=quick)
        for part in parts
        for seed in range(seeds)
        for kind in part
    ]


def _main(training: str, tasks: object) -> list[dict]:
    cells = []
    for task in tasks:
        base = {"part": "main", "task": task, "training": training}
        cells.append({**base, "method": "dense"})
        for level in LEVELS:
            chosen = (*METHODS, "esn") if TASKS[task][0] != "accuracy" else METHODS
            cells += [{**base, "level": level, "method": method} for method in chosen]
    return cells


def _ablation(tasks: object = _SHORT) -> list[dict]:
    return [
        {"part": "ablation", "task": task, "method": method, "level": level, "steps": steps}
        for task in tasks
        for level in LEVELS
        for steps in STEPS[:-1]  # all four are in the main part
        for method in _STAGES
    ]


def _why() -> list[dict]:
    return [
        {"part": "why", "task": task, "method": method}
        for task in _FROZEN
        for method in ("dense+cut", "random+cut")
    ]


def _gain() -> list[dict]:
    return [
        {"part": "gain", "task": task, "method": f"{method}+gain", "level": level}
        for task in _SHORT
        for level in LEVELS
        for method in ("lnp", "random", "weight-sampling")
    ]


def _sensitivity() -> list[dict]:
    return [
        {"part": "sensitivity", "task": task, "method": "lnp", "options": options}
        for task in _SHORT
        for options in VARIANTS.values()
    ]


def _networks() -> list[dict]:
    return [
        {"part": "network", "task": task, "method": method, "network": network}
        for task in _SHORT
        for network in ("single", "complete")
        for method in ("lnp", "random", "dense")
    ]


def _feed_forward() -> list[dict]:
    base = {"part": "feed-forward", "network": "layered", "steps": "I+II"}
    return [
        {**base, "task": task, "method": method}
        for task in ("japanese-vowels", "digits")
        for method in ("dense", "lnp", "random", "magnitude")
    ]


def _memory() -> list[dict]:
    """Where recurrent synapses decide: the delayed sum, trained by BP."""
    base = {"part": "memory", "task": "delayed-sum", "training": "bp", "network": "short"}
    gained = [f"{m}+gain" for m in ("lnp", "random", "weight-sampling", "noise-weights")]
    cells = [{**base, "method": m} for m in ("dense", "dense+cut", *METHODS, *OURS, *gained)]
    cells += [
        {**base, "method": method, "steps": steps} for steps in STEPS[:-1] for method in _STAGES
    ]
    cells += [{**base, "method": method, "steps": "I+II"} for method in OURS]
    # Step I alone: all neurons stay, so that methods differ in synapses only.
    blind = [m for m in METHODS if m != "activity"]
    cells += [{**base, "method": m, "steps": "I"} for m in blind if m not in _STAGES]
    cells += [{**base, "level": "tenth", "steps": "I", "method": m} for m in blind]
    # Networks with one law of time constants show whether the result depends on clusters.
    base["network"] = "short-single"
    cells += [{**base, "method": "dense"}]
    cells += [{**base, "method": m, "steps": "I"} for m in blind]
    return cells + [{**base, "method": m, "steps": "I+II+III"} for m in (*METHODS, *OURS)]


def _readout() -> list[dict]:
    """Free runs with a readout of potentials and squares, where synapses might matter more."""
    cells = []
    for task in RICH:
        base = {"part": "readout", "task": task}
        cells += [{**base, "method": m} for m in ("dense", "dense+cut", "lnp+cut", "random+cut")]
        cells += [
            {**base, "level": level, "method": method}
            for level in LEVELS
            for method in (*METHODS, "esn")
        ]
    return cells


def _inputs() -> list[dict]:
    """AP that keeps inputs, readouts and biases, as usual; and LNP with as much training by BP."""
    cells = [
        {"part": "inputs", "method": method, "task": task, "training": training, "level": level}
        for method, training in (
            *(("activity+inputs", training) for training in ("ridge", "stdp", "bp")),
            ("lnp+twice", "bp"),
        )
        for task in (*_CLASSIFIED, "watch")
        for level in LEVELS
    ]
    return [c for c in cells if (c["training"], c["task"], c["level"]) != ("bp", "watch", "tenth")]


def _memory_inputs() -> list[dict]:
    """Trained first, then pruned and trained on, where recurrent synapses decide."""
    base = {"part": "inputs", "task": "delayed-sum", "training": "bp"}
    cells = [{**base, "network": "short-single", "steps": "I+II+III", "method": "activity+inputs"}]
    base["network"] = "short"
    cells += [{**base, "method": f"{m}+inputs"} for m in LATE if m != "lnp"]
    cells += [{**base, "method": f"{m}+twice"} for m in LATE[2:-1]]
    return cells + [
        {**base, "steps": "I+II+III", "method": f"lnp+{n}"} for n in ("inputs", "twice")
    ]


def _ours() -> list[dict]:
    """Our variants where the recurrent part stays frozen."""
    return [
        {"part": "ours", "method": method, "task": task, "level": level}
        for method in OURS
        for task in _FROZEN
        for level in LEVELS
    ]


def _few(task: str, *more: str) -> list[dict]:
    """BP where a training takes minutes: few methods, one level."""
    base = {"part": "main", "task": task, "training": "bp"}
    return [{**base, "method": m} for m in ("dense", "lnp", "random", *more)]


def _dynamics() -> list[dict]:
    return [
        {"part": "dynamics", "task": "", "method": method, "level": level}
        for level in LEVELS
        for method in ("dense", "lnp", "random")
    ]
