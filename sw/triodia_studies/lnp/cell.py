"""A cell of the study: one task solved by one pruned network."""

from dataclasses import asdict, dataclass, field

__all__ = ["LEVELS", "RICH", "TASKS", "Cell"]

LEVELS = {"half": (0.5, 0.43), "tenth": (0.1, 0.43)}  # synapses kept by step I, neurons by II
TASKS = {  # metric, and whether more of it is better
    "lorenz": ("vpt", True),
    "rossler": ("vpt", True),
    "lorenz-x": ("rmse", False),
    "rossler-x": ("rmse", False),
    "google": ("rmse", False),
    "wind": ("rmse", False),
    "japanese-vowels": ("accuracy", True),
    "digits": ("accuracy", True),
    "fashion-mnist": ("accuracy", True),
    "watch": ("accuracy", True),
    "fashion-mnist-all": ("accuracy", True),
    "delayed-sum": ("accuracy", True),
    "lorenz-rich": ("vpt", True),
    "rossler-rich": ("vpt", True),
}
RICH = ("lorenz-rich", "rossler-rich")  # with a readout that sees more


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One result: a task solved by a pruned network.

    Parameters
    ----------
    part : "main", "memory", "readout", "inputs", "ours", "why", "ablation", "sensitivity",
        "network", "feed-forward", "gain" or "dynamics".
    task : one of ``TASKS``, "" for dynamics.
    training : "ridge", "stdp" or "bp".
    method : "dense", one of ``METHODS`` or "esn"; with a suffix: "+gain" (weights rescaled to the
        original gain), "+cut" (no recurrent synapses), "+inputs" (trained dense, pruned, trained
        on), "+twice" (trained twice as long).
    level : one of ``LEVELS``.
    steps : steps of LNP; a control has the counts after these steps.
    network : "clustered" (CHRSNN), "single" (HRSNN), "complete", "layered", "short" (small and
        clustered, with short time constants) or "short-single" (the same, but not clustered).
    options : of ``prune``.
    seed : of the network, pruning, inputs and training, and the start of a flow.
    quick : small data and networks.
    """

    part: str
    task: str
    training: str = "ridge"
    method: str
    level: str = "half"
    steps: str = "I+II+III+IV"
    network: str = "clustered"
    options: dict = field(default_factory=dict)
    seed: int
    quick: bool = False

    def spec(self) -> dict:
        """The cell as JSON values."""
        return asdict(self)
