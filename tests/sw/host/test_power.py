"""Energy from the log of a simulated meter, and what a log must be."""

import csv
import json
import threading
import time

import numpy as np
import pytest

from triodia.host.power import BadLog, measured, read_log

BEGAN = 1_700_000_000.0


def simulated(period=0.01, idle=0.2, busy=0.3, run=(10.0, 12.0), total=15.0):
    """Readings of a board that takes ``idle`` watts, and ``busy`` ones while it runs."""
    times = np.arange(0.0, total, period)
    watts = np.where((times >= run[0]) & (times <= run[1]), busy, idle)
    return BEGAN + times, watts


def write(path, times, columns):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *columns])
        writer.writerows(zip((f"{t:.6f}" for t in times), *columns.values(), strict=True))
    return path


def test_energy_of_a_simulated_meter(tmp_path):
    """0.3 W for 2 s and 100 samples: 6 mJ a sample, 2 mJ of them above idle."""
    times, watts = simulated()
    log = write(tmp_path / "m.csv", times, {"watts": watts})
    found = measured(log, BEGAN + 10.0, 2.0, 100)
    assert (found.readings, found.watts, found.idle_watts) == (201, 0.3, 0.2)
    assert found.microjoules_per_sample == pytest.approx(6000, rel=1e-3)
    assert found.above_idle == pytest.approx(2000, rel=1e-3)


def test_formats_agree(tmp_path):
    """Watts, milliwatts, volts times amperes, JSON lines and dates say the same."""
    times, watts = simulated(period=0.1)
    volts, amperes = np.full(times.size, 3.3), watts / 3.3
    logs = [
        write(tmp_path / "a.csv", times, {"watts": watts}),
        write(tmp_path / "b.csv", times, {"note": ["x"] * times.size, "power_mW": watts * 1e3}),
        write(tmp_path / "c.csv", times, {"Bus_V": volts, "Current_mA": amperes * 1e3}),
        tmp_path / "d.jsonl",
        write(
            tmp_path / "e.csv",
            times,
            {"watts": watts},
        ),
    ]
    rows = [{"time": t, "volts": 3.3, "amps": a} for t, a in zip(times, amperes, strict=True)]
    logs[3].write_text("".join(json.dumps(row) + "\n" for row in rows))
    dates = [str(np.datetime64(round(t * 1e3), "ms")) + "+00:00" for t in times]
    lines = [f"{date},{w}" for date, w in zip(dates, watts, strict=True)]
    logs[4].write_text("\n".join(["time,watts", *lines]) + "\n")
    found = [measured(log, BEGAN + 10.05, 1.9, 10).microjoules_per_sample for log in logs]
    np.testing.assert_allclose(found, 57_000, rtol=1e-3)


def test_it_waits_for_a_meter_that_still_writes(tmp_path):
    """The last, half-written line does not count until it is whole."""
    now = time.time()
    log = write(tmp_path / "m.csv", now - 1 + np.arange(8) * 0.1, {"watts": [1.0] * 8})

    def write_on():
        with log.open("a") as file:
            for k in range(8, 16):
                file.write(f"{now - 1 + k * 0.1:.3f},1")
                file.flush()
                time.sleep(0.02)
                file.write(".0\n")
                file.flush()

    writer = threading.Thread(target=write_on)
    writer.start()
    found = measured(log, now - 0.75, 1.0, 1)
    writer.join()
    assert found.watts == 1 and found.readings >= 9


def test_no_idle_power_without_readings_before(tmp_path):
    times, watts = simulated()
    log = write(tmp_path / "m.csv", times, {"watts": watts})
    found = measured(log, BEGAN + 0.005, 2.0, 1)
    assert found.idle_watts is None and found.above_idle is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,watts\n1,x\n", "line 2: `watts` must be a number, not 'x'."),
        ("time,watts\n1,nan\n", "line 2: `watts` must be a number, not 'nan'."),
        ("time,amps\n1,2\n", "line 2: there must be `watts`, or `volts` and `amperes`."),
        (
            "when,watts\n1,2\n",
            "line 2: `time` must be seconds since 1970, or a date with its zone,",
        ),
        ("time,watts\n2026-01-01T00:00:00,2\n", "line 2: `time` must be seconds since 1970, or a "),
        ("time,watts\n2,2\n2,2\n", "line 3: time must rise from line to line."),
        ('{"time": 1, "watts": 2}\n[]\n', "line 2: not a JSON object."),
        ('{"time": 1, "watts": [2]}\n', "line 1: `watts` must be a number, not [2]."),
    ],
)
def test_bad_logs(tmp_path, text, message):
    path = tmp_path / "m"
    path.write_text(text)
    with pytest.raises(BadLog) as error:
        read_log(path)
    assert str(error.value).startswith(f"{path}, {message}")


def test_a_log_of_another_time(tmp_path):
    times, watts = simulated()
    log = write(tmp_path / "m.csv", times, {"watts": watts})
    with pytest.raises(BadLog, match=r"does not cover the run: "):
        measured(log, BEGAN + 14, 2.0, 1, patience=0)
    with pytest.raises(BadLog, match=r"has 1 readings within the 0\.0151 s of the run; at "):
        measured(log, BEGAN + 10.002, 0.0151, 1, patience=0)
    with pytest.raises(BadLog, match=r"^The log \S+ cannot be read: No such file"):
        read_log(tmp_path / "none")
