"""Start a simulator on an exported machine and collect what the comparison found."""

import contextlib
import io
import json
import logging
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from triodia_hw.export.rtlil import TOP
from triodia_hw.export.verilog import export_verilog
from triodia_hw.files import write_atomic
from triodia_hw.lock import alone
from triodia_hw.machine.image import Image, load_image, save_image

from .cells import cell_models
from .folder import copy_verilog, machine_name, starts_late
from .monitor import MONITOR, watched
from .result import CosimResult
from .scoreboard import Divergence, Sequence
from .sdram import PATIENCE, fault_in, memory_within
from .simulators import PERIOD_NS, CosimError, check_netlist, find_simulator

__all__ = ["CosimResult", "cosimulate"]

_WAVE_BEFORE, _WAVE_AFTER = 2000, 200  # cycles around a divergence
_WAVE = "wave.fst"

_DUMP = """`timescale 1ns/1ps
module triodia_dump;
  reg [63:0] start, stop;
  initial if ($value$plusargs("dump_start=%d", start) && $value$plusargs("dump_stop=%d", stop))
  begin
    #(start);
    $dumpfile("wave.fst");
    $dumpvars(0, TRIODIA_TOP);
    #(stop - start);
    $dumpoff;
    $dumpflush;
  end
endmodule
"""


def cosimulate(
    image: Image,
    sequences: list[Sequence],
    folder: str | Path,
    *,
    simulator: str = "icarus",
    state: bool = False,
    stall: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
    verilog: str | Path | None = None,
    netlist: str | None = None,
    load: bool = False,
    counts: bool = True,
    exercise: bool = True,
    loadable: bool = True,
    patience: int = 0,
    record: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> CosimResult:
    """Run ``sequences`` through the exported Verilog of ``image`` and compare with the reference.

    Parameters
    ----------
    folder : working folder; keeps Verilog, logs and, after a mismatch, ``divergence.fst``.
    state : also compare the state words of every neuron after every step (runs in lock step).
    stall : probability that the sender, the receiver pauses in a cycle; ``seed`` is its chance.
    verilog : folder of an earlier export to simulate as it is, memory contents and all, instead
        of a new one.
    netlist : ``verilog`` is of the cells of this family of FPGAs, as synthesis leaves it; their
        models are added.
    load : load ``image`` through the machine's input first; ``verilog`` may be of another network
        for the same parameters.
    counts : the machine is of our kind: also compare its counters, its start, and its cycles.
    exercise : after the samples also do what :mod:`.exercise` lists, on the same machine; never
        without ``counts``, with a netlist (which is slow), or while recording.
    loadable : the machine takes loads.
    patience : cycles that a step may take longer than this machine's ever do, for another.
    record : keep what the hardware put out, and (Icarus) all signals, in ``wave.fst``.
    progress : called now and then with the steps compared and the steps there are.

    Raises
    ------
    CosimError
        If the simulator is missing or breaks; a mismatch is a result, not an error.
    FolderInUse
        If another co-simulation is at work in ``folder``.
    NotOfNetlist
        A netlist with ``state``, as synthesis puts bits of a word where it likes, or on Verilator,
        which would not see that an undefined word is used.
    """
    find_simulator(simulator)
    if netlist:
        check_netlist(state, simulator)
    folder = Path(folder).resolve()
    options = {"state": state, "stall": stall, "seed": seed, "netlist": netlist, "load": load}
    options |= {"counts": counts, "record": record}
    options["patience"] = patience + (PATIENCE if image.params.external else 0)
    short = netlist or record or not counts
    options |= {"exercise": exercise and not short, "loadable": loadable}
    with alone(folder, "co-simulation"):
        options["top"] = _take_verilog(image, folder, verilog)
        if verilog is not None and not netlist and starts_late(Path(verilog), options["top"]):
            options |= {"counts": False, "exercise": False}
        job = _job(image, folder, sequences, **options)
        with _watched(Path(job["progress"]), sum(map(len, sequences)), progress):
            _simulate(folder, simulator, job, _window(0, 1 << 40) if record else None)
        return _result(folder, simulator, job)


def _take_verilog(image: Image, folder: Path, verilog: str | Path | None) -> str:
    """Put the Verilog to simulate into ``folder``; return the name of its top module."""
    if verilog is None:
        export_verilog(image, folder)
        return TOP
    copy_verilog(Path(verilog), folder)
    return machine_name(Path(verilog), image.digest())


def _job(image: Image, folder: Path, sequences: list[Sequence], **options: object) -> dict:
    """What the testbench needs to know; no result of an earlier run is left behind."""
    job = {
        "image": str(folder / "cosim.image"),
        "result": str(folder / "cosim.json"),
        "progress": str(folder / "progress"),
        "sequences": sequences,
        "stop_cycle": None,
        **options,
    }
    save_image(image, job["image"])
    for file in ("result", "progress"):
        Path(job[file]).unlink(missing_ok=True)
    return job


def _result(folder: Path, simulator: str, job: dict) -> CosimResult:
    """What the testbench found; records a waveform if words differed."""
    if not Path(job["result"]).exists():
        raise CosimError(f"{simulator} ended without a result; see {folder / 'cosim.log'}")
    result = json.loads(Path(job["result"]).read_text())
    first = result.pop("first")
    first = Divergence(**first) if first else None
    waveform = str(folder / _WAVE) if job["record"] and (folder / _WAVE).exists() else None
    waveform = _waveform(folder, job, first) if first else waveform
    cycles = result["ends"][-1] if result["ends"] else result["counters"]["cycles"]
    return CosimResult(
        simulator=simulator,
        cycles=cycles,
        cycles_per_step=round(cycles / max(result["steps"], 1), 2),
        first=first,
        waveform=waveform,
        **result,
    )


@contextlib.contextmanager
def _watched(file: Path, steps: int, progress: Callable[[int, int], None] | None) -> Iterator[None]:
    """Tell ``progress`` what the simulator writes to ``file`` while the context lasts."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.3):
            with contextlib.suppress(OSError, ValueError):
                progress(int(file.read_text()), steps)

    if progress is None:
        yield
        return
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _waveform(folder: Path, job: dict, first: Divergence) -> str | None:
    """Run again to just after the divergence, and record the waveform around it."""
    if not shutil.which("iverilog"):
        return None
    reset = 5  # cycles before the machine's counter starts
    start = max(0, first.cycle + reset - _WAVE_BEFORE)
    stop = first.cycle + reset + _WAVE_AFTER
    (folder / _WAVE).unlink(missing_ok=True)
    _simulate(folder, "icarus", job | {"stop_cycle": stop + 10}, _window(start, stop))
    wave = folder / _WAVE
    return str(wave.rename(folder / "divergence.fst")) if wave.exists() else None


def _window(start: int, stop: int) -> list[str]:
    """Arguments that make Icarus record from one cycle to another."""
    return [f"+dump_start={start * PERIOD_NS}", f"+dump_stop={stop * PERIOD_NS}"]


def _simulate(folder: Path, simulator: str, job: dict, plusargs: list[str] | None = None) -> None:
    from cocotb_tools.runner import get_runner  # slow to import, and needs a simulator

    write_atomic(folder / "job.json", json.dumps(job).encode())
    sources, arguments = _sources(folder, simulator, job)
    environment = {
        "TRIODIA_JOB": str(folder / "job.json"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    log = folder / "cosim.log"
    logging.getLogger("cocotb_tools").setLevel(logging.WARNING)
    try:
        # Verilator's makefiles take no name with a space in it, so it builds elsewhere.
        with TemporaryDirectory(prefix="triodia-sim-") as aside, redirect_stdout(io.StringIO()):
            runner = get_runner(simulator)
            copies = [Path(shutil.copy(source, aside)) for source in sources]
            copies[0].write_text(_watched_machine(sources[0].read_text(), job))
            runner.build(
                sources=copies,
                hdl_toplevel=job["top"],
                build_dir=aside,
                build_args=arguments,
                timescale=("1ns", "1ps"),
                log_file=folder / "build.log",
            )
            runner.test(
                hdl_toplevel=job["top"],
                test_module="triodia_sim.cosim_tests",
                build_dir=aside,
                test_dir=folder,
                plusargs=plusargs or [],
                waves=plusargs is not None,
                extra_env=environment,
                log_file=log,
                results_xml=str(folder / "results.xml"),
            )
    except (SystemExit, RuntimeError, OSError) as error:
        raise CosimError(f"{simulator} failed ({_fatal(log) or error}); see {log}") from None


def _watched_machine(verilog: str, job: dict) -> str:
    image = load_image(job["image"])
    text = watched(verilog, job["top"], image.params, ours=job["counts"])
    return memory_within(text, image.params, job["top"]) if image.params.external else text


def _fatal(log: Path) -> str:
    """Why the Verilog itself ended the simulation, or nothing."""
    text = log.read_text(errors="replace") if log.exists() else ""
    reason = re.search(r"\S+\.hex is missing, or is not of image \w+", text)
    return reason[0] if reason else fault_in(text)


def _sources(folder: Path, simulator: str, job: dict) -> tuple[list[Path], list[str]]:
    """Verilog files of ``folder`` and the simulator's own build arguments."""
    netlist = job["netlist"]
    models = cell_models(folder, netlist) if netlist else []
    machine = [folder / f"{job['top']}.v", MONITOR, *models]
    if simulator != "icarus":
        return machine, ["-Wno-fatal", "-Wno-lint", "-O3", "--x-initial", "unique"]
    dump = folder / "triodia_dump.v"
    dump.write_text(_DUMP.replace("TRIODIA_TOP", job["top"]))
    return [*machine, dump], ["-s", "triodia_dump"]
