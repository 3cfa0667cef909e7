"""Energy of a run, from the log of a power meter that ran beside it."""

import csv
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from triodia_hw.errors import TriodiaError

__all__ = ["BadLog", "Energy", "Log", "measured", "read_log"]

# Names of columns, each with its factor to seconds, watts, volts or amperes.
_WATTS = {"watts": 1.0, "power_w": 1.0, "power_mw": 1e-3, "mw": 1e-3}
_VOLTS = {"volts": 1.0, "voltage_v": 1.0, "bus_v": 1.0, "voltage_mv": 1e-3, "mv": 1e-3}
_AMPERES = {"amperes": 1.0, "amps": 1.0, "current_a": 1.0, "current_ma": 1e-3, "ma": 1e-3}
_TIME = "time"
_LEAST = 3  # readings within a run
_IDLE = 60.0  # seconds before a run that count as idle


class BadLog(TriodiaError, ValueError):
    """A log that cannot be read, or that does not cover the run; one sentence."""


@dataclass(frozen=True)
class Log:
    """Readings of a meter: ``seconds`` since 1970, rising, and ``watts``; ``(readings,)`` each."""

    seconds: np.ndarray
    watts: np.ndarray


@dataclass(frozen=True)
class Energy:
    """Energy of a run. What a meter sees is the whole board: regulators, USB chip and LEDs too.

    ``readings`` : within the run. ``watts`` : mean of the run. ``idle_watts`` : mean of up to a
    minute before it; None without readings then. ``microjoules_per_sample`` : of the whole board;
    ``above_idle`` : the same, less the idle power.
    """

    readings: int
    watts: float
    idle_watts: float | None
    microjoules_per_sample: float
    above_idle: float | None


def read_log(path: str | Path) -> Log:
    """Readings of a log: CSV with a heading, or one JSON object a line.

    A reading has ``time`` (seconds since 1970, or ISO 8601 with its zone) and ``watts``, or
    ``volts`` and ``amperes``, or the same in thousandths (``power_mw``, ``voltage_mv``,
    ``current_ma``). Other columns are ignored, and so is a last line that is being written.

    Raises
    ------
    BadLog
        Naming the line and the column.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadLog(
            f"The log {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}."
        ) from None
    readings = []
    for line, row in _rows(str(path), text[: text.rfind("\n") + 1]):
        where = f"{path}, line {line}"
        readings.append((_seconds(where, row), _power(where, row)))
        if len(readings) > 1 and readings[-1][0] <= readings[-2][0]:
            raise BadLog(f"{where}: time must rise from line to line.")
    values = np.array(readings, float).reshape(-1, 2)
    return Log(values[:, 0], values[:, 1])


def _rows(path: str, text: str) -> Iterator[tuple[int, dict]]:
    """Numbers of lines, and their values by lower-case column."""
    lines = text.splitlines()
    if text.lstrip().startswith("{"):
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise BadLog(f"{path}, line {number}: not a JSON object.")
            yield number, {key.lower(): value for key, value in row.items()}
        return
    try:
        for number, row in enumerate(csv.DictReader(lines), 2):
            yield number, {(key or "").strip().lower(): value for key, value in row.items()}
    except csv.Error as error:
        raise BadLog(f"The log {path} is no CSV file: {error}.") from None


def _seconds(where: str, row: dict) -> float:
    value = row.get(_TIME)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = _date(value)
    if number is None or not math.isfinite(number):
        raise BadLog(
            f"{where}: `time` must be seconds since 1970, or a date with its zone, not {value!r}."
        )
    return number


def _date(value: object) -> float | None:
    try:
        date = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return date.timestamp() if date.tzinfo else None


def _power(where: str, row: dict) -> float:
    watts = _value(where, row, _WATTS)
    if watts is not None:
        return watts
    volts, amperes = _value(where, row, _VOLTS), _value(where, row, _AMPERES)
    if volts is None or amperes is None:
        raise BadLog(f"{where}: there must be `watts`, or `volts` and `amperes`.")
    return volts * amperes


def _value(where: str, row: dict, names: dict[str, float]) -> float | None:
    """The first of ``names`` in a row, in units of 1."""
    for name, factor in names.items():
        if row.get(name) is not None:
            try:
                number = float(row[name])
            except (TypeError, ValueError, OverflowError):
                number = math.nan
            if not math.isfinite(number):
                raise BadLog(f"{where}: `{name}` must be a number, not {row[name]!r}.")
            return number * factor
    return None


def measured(
    path: str | Path, began: float, seconds: float, samples: int, *, patience: float = 3.0
) -> Energy:
    """Energy of a run of ``samples`` that ``began`` (seconds since 1970) and took ``seconds``.

    Waits up to ``patience`` seconds for a reading after the end. Power between readings is taken as
    a straight line.

    Raises
    ------
    BadLog
        If the log does not cover the run, or has fewer than 3 readings in it.
    """
    end, give_up = began + seconds, time.monotonic() + patience
    log = read_log(path)
    while (not log.seconds.size or log.seconds[-1] < end) and time.monotonic() < give_up:
        time.sleep(0.1)
        log = read_log(path)
    within = (log.seconds >= began) & (log.seconds <= end)
    if not log.seconds.size or log.seconds[0] > began or log.seconds[-1] < end:
        raise BadLog(
            f"The log {path} does not cover the run: it must begin before and end after it, by the "
            "clock of this computer."
        )
    if within.sum() < _LEAST:
        raise BadLog(
            f"The log {path} has {within.sum()} readings within the {seconds:g} s of the run; at "
            f"least {_LEAST} are needed: run more --samples, or read the meter more often."
        )
    edges = np.interp([began, end], log.seconds, log.watts)
    times = np.concatenate([[began], log.seconds[within], [end]])
    watts = np.concatenate([edges[:1], log.watts[within], edges[1:]])
    joules = float(np.trapezoid(watts, times))
    before = log.watts[(log.seconds < began) & (log.seconds >= began - _IDLE)]
    idle = float(before.mean()) if before.size >= _LEAST else None
    return Energy(
        readings=int(within.sum()),
        watts=round(joules / seconds, 6),
        idle_watts=None if idle is None else round(idle, 6),
        microjoules_per_sample=round(joules / samples * 1e6, 3),
        above_idle=None if idle is None else round((joules - idle * seconds) / samples * 1e6, 3),
    )
