"""Cells: the choices behind one row of a comparison, and grids of cells."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product

from triodia_boards.catalog import get_board
from triodia_boards.flow.toolchain import check_timed
from triodia_hw.errors import TriodiaError

from ..network.recurrent import LONGEST
from ..network.starts import check_layers
from ..prune.pipeline import METHODS
from ..ranges import GREATEST_SEED
from ..tasks.catalog import get_task
from ..train.settings import Settings

__all__ = ["Cell", "grid", "varying"]

_RANGES = {"neurons": (2, 1 << 14), "weight_bits": (2, 8), "lanes": (1, 32), "epochs": (1, 10_000)}
_RANGES |= {"seed": (0, GREATEST_SEED), "max_delay": (0, LONGEST)}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination of choices; checks itself.

    Parameters
    ----------
    task, method, board : by name.
    synapses, nodes : fractions of the recurrent synapses and neurons that pruning keeps.
    neurons : number of neurons before pruning.
    layers : neurons of each layer, which add up to them, as "96,32"; empty for one layer.
    adaptive : fraction of the neurons that raise their threshold with each spike.
    max_delay : the most steps that a recurrent synapse waits, drawn evenly from 0 to it.
    weight_bits, lanes : width of a weight, and number of PEs.
    epochs, target_rate : of training; the rate is in spikes per neuron and step.
    first : "prune", or "train" to train the dense network, prune it, and train it again.
    seed : of network, pruning and training.
    samples : number of test samples, evenly spread, for cycles and co-simulation.
    place_seed : seed of nextpnr.

    Raises
    ------
    TriodiaError
        Naming the choice, what it must be and what was given.
    """

    task: str = "japanese-vowels"
    method: str = "lnp"
    synapses: float = 1.0
    nodes: float = 1.0
    neurons: int = 256  # with all synapses too many for the board, pruned not
    layers: str = ""
    adaptive: float = 0.0
    max_delay: int = 0
    weight_bits: int = 8
    lanes: int = 4
    board: str = "ulx3s-25f"
    seed: int = 0
    epochs: int = Settings.epochs
    target_rate: float = 0.05
    first: str = "prune"
    samples: int = 10
    place_seed: int = 1

    def __post_init__(self) -> None:
        get_task(self.task), check_timed(get_board(self.board))
        for name in ("synapses", "nodes"):
            if not 0 < getattr(self, name) <= 1:
                raise TriodiaError(
                    f"{name} must be above 0 and at most 1, not {getattr(self, name)}"
                )
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise TriodiaError(f"{name} must be in {least}..{most}, not {getattr(self, name)}")
        if not 0 <= self.adaptive <= 1:
            raise TriodiaError(f"adaptive must be in 0..1, not {self.adaptive}")
        if self.layers:
            check_layers(self.layers, self.neurons)
        if self.first not in ("prune", "train"):
            raise TriodiaError(f"first must be prune or train, not {self.first!r}")
        Settings(target_rate=self.target_rate)  # refused before anything is computed
        if self.method not in METHODS:
            raise TriodiaError(f"method must be one of {', '.join(METHODS)}, not {self.method!r}")
        if self.method == "none" and (least := min(self.synapses, self.nodes)) < 1:
            raise TriodiaError(
                f"method must be one that prunes, not 'none', to keep the fraction {least:g}; "
                "with 'none' ask for --synapses 1 and --nodes 1"
            )

    @property
    def network(self) -> dict:
        """The choices that a trained network depends on."""
        own = ("weight_bits", "lanes", "board", "samples", "place_seed")
        return {k: v for k, v in asdict(self).items() if k not in own}


def grid(common: Mapping[str, object], axes: Mapping[str, Sequence]) -> list[Cell]:
    """All combinations of ``axes`` (lists of values by the name of a choice), with ``common``.

    In order of the axes, the last one fastest. Raises :class:`TriodiaError` for an empty axis or a
    value that is named twice.
    """
    for name, values in axes.items():
        if not values:
            raise TriodiaError(f"{name} must name at least one value")
        if len(set(values)) < len(values):
            raise TriodiaError(f"{name} must not name a value twice")
    return [
        Cell(**dict(common) | dict(zip(axes, values, strict=True)))
        for values in product(*axes.values())
    ]


def varying(cells: Sequence[Cell]) -> list[str]:
    """Names of the choices in which ``cells`` differ."""
    return [f.name for f in fields(Cell) if len({getattr(c, f.name) for c in cells}) > 1]
