"""Rows of a comparison: every column declared once, with heading, unit, format and meaning.

The terminal, Markdown, CSV, JSON and the HTML page all take their columns from :class:`Row`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields

from .grid import Cell, varying

__all__ = [
    "CHOICES",
    "COLUMNS",
    "MACHINE",
    "NETWORK",
    "Column",
    "Row",
    "choice_names",
    "delays_left_out",
    "flat",
    "pick",
    "texts",
]

_NAMES = {"synapses": "synapses_kept", "nodes": "nodes_kept", "neurons": "neurons_dense"}
_NONE = "–"


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _percent(value: float) -> str:
    return f"{100 * value:.4g} %"


@dataclass(frozen=True)
class Column:
    """A column of a table: ``key`` of the value, ``heading`` in a terminal, ``title`` on a page.

    ``show`` makes text of a value; ``meaning`` is one sentence for hover and glossary.
    """

    key: str
    heading: str
    title: str = ""
    meaning: str = ""
    show: Callable[[object], str] = _number

    def text(self, value: object) -> str:
        """``value`` as a table shows it."""
        return _NONE if value is None else self.show(value)


def _column(heading: str, title: str = "", meaning: str = "", **options: object) -> object:
    """A field of :class:`Row` that is a column."""
    return field(default=None, metadata={"column": (heading, title or heading, meaning, options)})


@dataclass(kw_only=True)
class Row:
    """One design: its choices, what the network does, what the machine takes.

    ``None`` where a value is not known, as for everything placed in a row that was not built.
    """

    # Choices.
    task: str = _column("task")
    method: str = _column("method", "pruned by")
    first: str = _column("first", "first step", "Whether pruning or a first training comes first.")
    synapses_kept: float = _column(
        "kept",
        "synapses kept",
        "Part of the recurrent synapses that pruning leaves.",
        show=_percent,
    )
    nodes_kept: float = _column("nodes", "neurons kept", show=_percent)
    neurons_dense: int = _column("of neurons", "neurons before pruning")
    layers: str = _column("layers", "neurons of each layer")
    adaptive: float = _column("adaptive", "adaptive neurons", show=_percent)
    max_delay: int = _column(
        "delay",
        "longest delay, steps",
        "Each recurrent synapse waits steps drawn evenly from 0 to this.",
    )
    weight_bits: int = _column("bits", "weight bits")
    lanes: int = _column("PEs", "PEs", "Processing elements that work in parallel.")
    board: str = _column("board")
    seed: int = _column("seed", "seed", "Of network, pruning and training.")
    epochs: int = _column("epochs", "epochs", "Passes of the training over the training set.")
    target_rate: float = _column("target", "target rate")
    samples: int = _column("samples")
    place_seed: int = _column("place", "placement seed")
    # The network.
    metric_float: float = _column(
        "float", "float", "On the whole test set, with floating-point weights.", show=_percent
    )
    metric_integer: float = _column(
        "integer", "integer", "On the whole test set, as the FPGA computes.", show=_percent
    )
    neurons: int = _column("neurons", "recurrent neurons")
    synapses: int = _column("synapses", "recurrent synapses")
    rate: float = _column("rate", "spikes per neuron and step")
    sops_per_sample: float = _column(
        "SOP", "SOPs per sample", "Synaptic operations: a spike reaches a synapse."
    )
    synapses_stored: int = _column(
        "stored", "synapses stored", "All synapses in the machine, inputs and readout included."
    )
    # The machine.
    cycles_per_sample: float = _column(
        "cycles", "cycles per sample", "Clock cycles, exact; mean over the samples."
    )
    cycles_per_step: float = field(default=None)
    cycles_over_bound: float = _column(
        "/bound",
        "cycles / bound",
        "Against the least cycles that one memory port per PE and one bus allow.",
    )
    load_balance: float = _column(
        "balance", "load balance", "Mean over largest number of synapses per PE; 1 is perfect."
    )
    digest: str = field(default=None)
    parameters: dict = field(default=None)
    fits: bool = _column(
        "fits",
        "fits",
        "Whether the board has enough memory and logic.",
        show=lambda fits: "yes" if fits else "no",
    )
    reason: str | None = field(default=None)
    mismatches: int | None = _column(
        "differ", "mismatches", "Words that differ between hardware and reference."
    )
    blocks_model: int = _column("RAMs", "block RAMs, model", "Block RAMs before synthesis.")
    blocks: int = _column("RAMs", "block RAMs", "Embedded memories (EBR) of the FPGA, as placed.")
    limit: str = _column("limited by", "fullest resource", "Of the board, and how full it is.")
    percent: dict = field(default=None)
    luts_model: int = _column("cells~", "logic cells, foretold", "Before synthesis; with the link.")
    single_port: int = _column("large", "large RAMs")
    lut4: int = field(default=None)
    luts: int = _column("cells", "logic cells", "Lookup tables (LUT) of the FPGA, as placed.")
    registers: int = _column("registers", "registers", "Flip-flops of the FPGA, as placed.")
    multipliers: int = _column("mult", "multipliers")
    fmax_mhz: float = _column(
        "MHz", "Fmax, MHz", "Highest clock by nextpnr's timing analysis, after routing."
    )
    us_per_sample: float = _column(
        "µs", "µs per sample", "Microseconds per sample at Fmax, without the link."
    )
    seconds: float = _column(
        "made in", "seconds to make", "Work of all stages of the row, when they first ran."
    )
    # Parts, and files.
    memory: dict = field(default=None)
    baked: bool = field(default=None)
    patched_slices: int = field(default=None)
    bitstream: str = field(default=None)
    network: str = field(default=None)
    image: str = field(default=None)
    cosim: dict | None = field(default=None)
    traced: dict | None = field(default=None)
    spectra: dict | None = field(default=None)
    dense: dict | None = field(default=None)
    energy_nj: float | None = field(default=None)

    @classmethod
    def of_cell(cls, cell: Cell, **values: object) -> "Row":
        """A row with the choices of ``cell``; values it has no field for are left out."""
        names = {f.name for f in fields(cls)}
        choices = {_NAMES.get(k, k): v for k, v in asdict(cell).items()}
        return cls(**choices, **{k: v for k, v in values.items() if k in names})

    @property
    def cell(self) -> Cell:
        """The choices of the row."""
        return Cell(**{f.name: getattr(self, _NAMES.get(f.name, f.name)) for f in fields(Cell)})

    @property
    def choices(self) -> dict:
        """The choices of the row by the names of :class:`.grid.Cell`."""
        return asdict(self.cell)

    @property
    def words(self) -> int:
        """Words of hardware compared with the reference."""
        return self.cosim["words"] if self.cosim else 0

    def json(self) -> dict:
        """The row as results.json has it: values that are not known are left out."""
        return {
            key: value for key, value in vars(self).items() if value is not None or key in _ALWAYS
        }


_ALWAYS = ("reason", "mismatches", "cosim", "traced", "spectra", "dense", "energy_nj")


def _declared() -> dict[str, Column]:
    found = {}
    for one in fields(Row):
        if "column" in one.metadata:
            heading, title, meaning, options = one.metadata["column"]
            found[one.name] = Column(one.name, heading, title, meaning, **options)
    return found


COLUMNS = _declared()


def pick(names: str | Iterable[str], rows: Sequence[Row] | None = None) -> list[Column]:
    """Columns by name, in that order; with ``rows``, those that one of them has a value for."""
    names = names.split() if isinstance(names, str) else names
    columns = [COLUMNS[name] for name in names]
    if rows is None:
        return columns
    return [c for c in columns if any(getattr(row, c.key) is not None for row in rows)]


CHOICES = [_NAMES.get(f.name, f.name) for f in fields(Cell)]
NETWORK = "metric_float metric_integer neurons synapses rate sops_per_sample".split()
MACHINE = "cycles_per_sample mismatches fits blocks luts limit fmax_mhz us_per_sample".split()


def choice_names(cells: Sequence[Cell]) -> list[str]:
    """Columns of the choices in which ``cells`` differ; of the synapses kept where none do."""
    return [_NAMES.get(name, name) for name in varying(cells)] or ["synapses_kept"]


def delays_left_out(rows: Iterable[Row]) -> str:
    """What the evidence of rows with delays lacks, in one sentence; empty if there are none."""
    if not any(row.max_delay and row.traced for row in rows):
        return ""
    return (
        "Rows with delays have no dense design and no Lyapunov spectrum beside them, because"
        " neither has delays; of the software, only our own torch model and the reference do."
    )


def texts(rows: Iterable[Row], columns: Sequence[Column]) -> list[dict[str, str]]:
    """Values of ``columns`` as text, one dictionary per row."""
    return [{c.key: c.text(getattr(row, c.key)) for c in columns} for row in rows]


def flat(row: Row) -> dict[str, object]:
    """Plain values of a row for CSV; those of the co-simulation with a prefix."""
    values = {k: v for k, v in row.json().items() if not isinstance(v, dict | list)}
    values.pop("cosim", None)
    return values | {f"cosim_{k}": v for k, v in (row.cosim or {}).items()}
