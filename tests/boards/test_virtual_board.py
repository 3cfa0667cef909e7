"""The board's own top level on a pseudo-terminal, driven by the host like a real board."""

import os
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.commands import call, ok
from tests.support.networks import random_events, random_image
from triodia.host.board import open_board
from triodia.host.errors import (
    BoardRestarted,
    LinkError,
    NoAnswer,
    PortError,
    Stuck,
    WrongBoard,
)
from triodia.host.port import Port
from triodia.host.run import run_samples
from triodia.host.soak import Soak
from triodia.network.random import new_network
from triodia.quantize.inference import input_events
from triodia.quantize.quantize import QuantizeOptions, quantize
from triodia.tasks.catalog import get_task
from triodia.train.loop import train
from triodia_boards.catalog import BOARDS, BadChoice
from triodia_boards.virtual_source import top_source
from triodia_hw.link.frame import BoardFrame, Kind
from triodia_hw.machine.image import save_image
from triodia_hw.machine.neuron import State
from triodia_hw.machine.reference import Reference
from triodia_sim.virtual_board import BoardPins, VirtualBoard, compile_board

BAUD = 25_000_000  # 4 clock cycles a bit: simulation is spent on the machine, not on the line


@pytest.fixture(scope="module")
def trained():
    """A network for digits and samples of its test set."""
    data, task = get_task("digits").load(), get_task("digits")
    net, _ = train(new_network(24, 1, density=0.4), task, data=data, seed=0, epochs=2)
    image = quantize(net, data, QuantizeOptions(lanes=2))
    return image, input_events(image, data.x_test, data.len_test, limit=40)


@pytest.fixture(scope="module")
def start(trained, tmp_path_factory):
    """Start a board that can hold the trained network; compiled once."""
    rtlil, pins, divisor = top_source(trained[0].params, BOARDS["ulx3s-25f"], baud=BAUD)
    program = compile_board(rtlil, BoardPins(**pins), tmp_path_factory.mktemp("board"))
    return lambda **options: VirtualBoard(program, divisor, **options)


@pytest.fixture
def virtual(start):
    with start() as board:
        yield board


def test_trained_network(trained, start):
    """Loaded and run over the line, every word equal; also read back."""
    image, samples = trained
    with start() as virtual, open_board(virtual.port, timeout=30) as board:
        assert board.welcome.params == image.params
        assert (board.welcome.board, board.welcome.loadable) == ("ulx3s-25f", True)
        board.load(image)
        report = run_samples(board, samples[:12], check=True)
        assert report.mismatches == 0 and report.first is None
        assert report.compared > 12 * 8 * 10 and report.steps == 12 * 8
        assert report.bad_frames == 0
        reference, sops = Reference(image), 0
        for sample in samples[:12]:
            for t, events in enumerate(sample):
                sops += reference.step(events, last=t == len(sample) - 1).sops
        assert report.operations == sops
        board.step(samples[0][0])
        want = Reference(image).step(samples[0][0])
        assert_state(board.state(), want.state)


def assert_state(got, want):
    for name in "vurb":
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name), name)


@pytest.mark.parametrize(
    ("name", "adaptive"),
    [
        ("icebreaker", False),
        pytest.param("icebreaker", True, marks=pytest.mark.slow),
        pytest.param("hx8k-evb", False, marks=pytest.mark.slow),
    ],
)
def test_other_families(name, adaptive, tmp_path):
    """The PLL, pins and large memories of an iCE40: loaded, run, disturbed, reset, read back."""
    board = BOARDS[name]
    lanes = 1 if adaptive else 2
    image = random_image(4, neurons=15, lanes=lanes, state_bits=16, adaptive=adaptive)
    rtlil, pins, divisor = top_source(image.params, board, baud=board.clock_hz // 4)
    assert ("SB_PLL40_" in rtlil) and divisor == 4
    program = compile_board(rtlil, BoardPins(**pins), tmp_path)
    samples = [random_events(image, 20, seed) for seed in range(5)]
    with VirtualBoard(program, divisor) as virtual, open_board(virtual.port, timeout=30) as host:
        assert (host.welcome.board, host.welcome.clock_hz) == (name, board.clock_hz)
        host.load(image)
        virtual.faults(0.001)
        for _ in range(3):
            report = run_samples(host, samples, check=True)
            assert report.mismatches == 0 and report.spikes > 100
            host.reset()
        reference = Reference(image)
        for events in samples[0][:6]:
            host.step(events)
            want = reference.step(events).state
            assert_state(host.state(), want)
        assert want.b.any() == adaptive


def test_no_virtual_board_of_others():
    text = r"^a virtual board must be one with an ECP5 or an iCE40, not arty-a7-35: the pins of .*$"
    with pytest.raises(BadChoice, match=text):
        top_source(random_image(1, lanes=1).params, BOARDS["arty-a7-35"], baud=BAUD)


@pytest.mark.parametrize("seed", [1, 2])
def test_one_byte_in_a_thousand_disturbed(trained, start, seed):
    """While loading, too. Everything is still exact."""
    image, samples = trained
    with start(faults=0.001, seed=seed) as virtual:
        with open_board(virtual.port, timeout=30, seed=seed) as board:
            board.load(image)
            report = run_samples(board, samples[:20], check=True)
        stats = virtual.stats()
    assert report.mismatches == 0
    assert sum(stats[kind] for kind in ("flips", "drops", "doubles", "swaps", "pauses")) > 10
    assert report.bad_frames > 0 and report.repeats > 0


@pytest.mark.slow
def test_ten_thousand_frames(trained, start):
    """As above, until the host has taken 10,000 good frames: none wrong."""
    image, samples = trained
    with start(faults=0.001, seed=3) as virtual, open_board(virtual.port, timeout=60) as board:
        board.load(image)
        frames, bad = 0, 0
        while board.session.frames < 10_000:
            report = run_samples(board, samples, check=True)
            assert report.mismatches == 0
            assert board.session.frames > frames
            frames, bad = board.session.frames, board.session.bad
        assert bad > 100


def test_other_networks_in_turn(trained, virtual):
    """Load a second network, in mid-step, a smaller one, and the first again."""
    image, samples = trained
    p = image.params
    kinds = {"inputs": 4, "density": 0.2, "state_bits": p.state_bits, "leak_bits": p.leak_bits}
    other = random_image(4, neurons=15, lanes=2, fraction_bits=p.fraction_bits, **kinds)
    with open_board(virtual.port, timeout=30) as board:
        board.load(image)
        for events in samples[0]:
            board.send(events)
        board.load(other)
        reference = Reference(board.image)
        for events in random_events(other, 20, 1):
            got, want = board.step(events), reference.step(events)
            assert got.spikes.tolist() == want.spikes.tolist()
            assert got.readouts.tolist() == want.readouts.tolist()
        assert_state(board.state(), reference.state)
        board.load(image)
        assert run_samples(board, samples[:2], check=True).mismatches == 0


def test_reset_in_mid_step(trained, virtual):
    """Steps in flight are lost with their session and leave no trace in the next."""
    image, samples = trained
    with open_board(virtual.port, timeout=30) as board:
        board.load(image)
        for _ in range(3):
            for sample in samples[:3]:
                for events in sample:
                    board.send(events)
            board.reset()
            assert_state(board.state(), State.zero(image.params.neurons))
            assert run_samples(board, samples[3:5], check=True).mismatches == 0


def test_another_host_takes_over(trained, virtual):
    """One host leaves in mid-step; the next one need not load again."""
    image, samples = trained
    with open_board(virtual.port, timeout=30) as board:
        board.load(image)
        for events in samples[0]:
            board.send(events)
        board._pump(waiting=False)
    with open_board(virtual.port, timeout=30) as board:
        with pytest.raises(LinkError, match=r"^No network was loaded in this session"):
            board.step(samples[0][0])
        board.assume(image)
        assert run_samples(board, samples[:2], check=True).mismatches == 0


def test_button(trained, virtual):
    image, samples = trained
    with open_board(virtual.port, timeout=1) as board:
        board.load(image)
        virtual.press(2000)
        with pytest.raises(BoardRestarted, match=r"^The board at .* was reset or taken over"):
            for _ in range(100):
                board.step(samples[0][0])
        board.reset()
        assert run_samples(board, samples[:2], check=True).mismatches == 0


def test_button_while_the_machine_was_heard(trained, virtual):
    """A machine that was just reset is reported as reset, not as stuck."""
    with open_board(virtual.port, timeout=30) as board:
        board.load(trained[0])
        ours, other = (BoardFrame(Kind.WORDS, session) for session in (board.session.number, 0))
        now = time.monotonic()
        for frames, error in (([ours], Stuck), ([ours, other], BoardRestarted), ([ours], Stuck)):
            for frame in frames:
                board.session.feed(frame.encode(), now)
            assert type(board._silence()) is error


def test_unplugged(trained, start):
    virtual = start()
    with open_board(virtual.port, timeout=30) as board:
        board.load(trained[0])
        virtual.close()
        text = rf"^{virtual.port} was unplugged"
        with pytest.raises(PortError, match=text):
            board.step(trained[1][0][0])


class Noise(Port):
    """A port with foreign traffic."""

    def __init__(self, port, noise):
        self._inner, self.noise, self.name = port, noise, port.name

    def read(self):
        return self._inner.read()

    def write(self, data):
        self._inner.write((self.noise.pop() if self.noise else b"") + data)

    def close(self):
        self._inner.close()


def test_noise_between_frames(trained, virtual):
    """Arbitrary bytes into the gateware's parser, at any moment: no wrong write, no hang."""
    image, samples = trained
    with open_board(virtual.port, timeout=30) as board:
        board.load(image)
        quiet = board._port

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.binary(max_size=400), min_size=1, max_size=8))
        def run(noise):
            board._port = Noise(quiet, noise)
            assert run_samples(board, samples[:1], check=True).mismatches == 0

        run()
        assert board.session.welcome and board.session.other is None


def test_soak(trained, start):
    """A short soak, as `triodia soak` runs it."""
    soak = Soak([trained[0]], lambda seed: start(seed=seed), seed=2, baud=BAUD, burst=150)
    report = soak.run(1200, lambda _: None)
    assert report.steps >= 1200
    assert (report.wrong, report.failures) == (0, [])
    assert report.resets + report.presses + report.reconnections + report.unplugs > 2


# -- what a user can do wrong


def test_run_command(trained, virtual, capsys, tmp_path):
    save_image(trained[0], tmp_path / "m.image")
    line = ("run", tmp_path / "m.image", "--port", virtual.port, "--task", "digits")
    result = ok(capsys, *line, "--samples", 5, "--check", "--timeout", 30)
    assert result["mismatches"] == 0 < result["compared"]
    assert (result["samples"], result["board"], result["clock_mhz"]) == (5, "ulx3s-25f", 100)
    for key in ("metric", "samples_per_second", "latency_ms", "machine_us_per_sample"):
        assert result[key] >= 0
    code, _, err = call(capsys, *line[:-1], "japanese-vowels")
    assert code == 2 and "This image was trained for digits" in err


def test_check_finds_a_difference(trained, virtual, capsys, tmp_path, monkeypatch):
    image = trained[0]
    save_image(image, tmp_path / "m.image")
    wrong = replace(image, weight=-image.weight)
    monkeypatch.setattr("triodia.host.run.Reference", lambda _: Reference(wrong))
    line = ("run", tmp_path / "m.image", "--port", virtual.port, "--task", "digits", "--check")
    code, _, err = call(capsys, *line, "--samples", 2, "--timeout", 30)
    assert code == 1
    assert " differ; the first: sample 0, step " in err


def test_wrong_capacity(trained, virtual, capsys, tmp_path):
    big = random_image(1, neurons=60, lanes=2)
    with open_board(virtual.port, timeout=30) as board:
        text = r"^The network does not fit this bitstream: neurons must be at most \d+ .*$"
        with pytest.raises(WrongBoard, match=text):
            board.load(big)
        with pytest.raises(WrongBoard, match=r"^The bitstream was built for a network of other"):
            board.assume(big)
        board.load(trained[0])  # and is none the worse


def test_wrong_version(virtual, monkeypatch):
    monkeypatch.setattr("triodia_hw.link.welcome.LINK_VERSION", 2)
    text = r"^the board speaks link version 1 and this host 2; build the bitstream and run the .*$"
    with pytest.raises(WrongBoard, match=text):
        open_board(virtual.port, timeout=30)


def test_no_port(capsys, tmp_path, trained):
    save_image(trained[0], tmp_path / "m.image")
    line = ("run", tmp_path / "m.image", "--task", "digits", "--port")
    code, _, err = call(capsys, *line, "/dev/nowhere")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("triodia: /dev/nowhere does not exist. Plug the board in")


def test_port_in_use(virtual):
    with open_board(virtual.port, timeout=30):
        text = rf"^{virtual.port} is in use by another program"
        with pytest.raises(PortError, match=text):
            open_board(virtual.port)


def test_nobody_answers():
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    text = rf"^No answer from {name} in 0.3 s. Check the cable, the baud rate, and that the .*$"
    with pytest.raises(NoAnswer, match=text):
        open_board(name, timeout=0.3)
    os.close(ours)
    os.close(theirs)


def test_board_command_refuses(capsys):
    code, _, err = call(capsys, "board", "--virtual", "ulx4s")
    assert code == 2 and err.startswith("triodia: board must be one of butterstick, ")
    code, _, err = call(capsys, "board", "--virtual", "ulx3s-25f", "--faults", 1.5)
    assert code == 2 and err == "triodia: `--faults` must be at least 0 and below 1, got 1.5.\n"


def test_energy_of_a_run(trained, virtual, capsys, tmp_path):
    """A simulated meter of 0.25 W writes its log beside the run."""
    save_image(trained[0], tmp_path / "m.image")
    log, over = tmp_path / "meter.csv", threading.Event()
    log.write_text("time,watts\n")

    def meter():
        with log.open("a") as file:
            while not over.wait(0.005):
                file.write(f"{time.time():.6f},0.25\n")
                file.flush()

    thread = threading.Thread(target=meter)
    thread.start()
    try:
        line = ("run", tmp_path / "m.image", "--port", virtual.port, "--task", "digits")
        how = ("--baud", BAUD, "--samples", 12, "--power", log)
        result = ok(capsys, *line, *how)
    finally:
        over.set()
        thread.join()
    power = result["power"]
    assert power["watts"] == power["idle_watts"] == 0.25 and power["readings"] >= 3
    assert abs(power["above_idle"]) < 1
    expected = 0.25 * result["seconds"] / 12 * 1e6
    assert power["microjoules_per_sample"] == pytest.approx(expected, rel=1e-3)


def test_boards_command(capsys):
    rows = ok(capsys, "boards", "--neurons", 256)["boards"]
    assert [row["board"] for row in rows] == list(BOARDS)
    for row in rows:
        if BOARDS[row["board"]].family not in ("ice40", "gowin"):
            assert row["lanes_1"] > row["lanes_4"] > 10_000
        for lanes, fit in row["fits"].items():
            assert (row[f"lanes_{lanes}"] is None) == (not fit["percent"])
            assert all(0 < part <= 100 for part in fit["percent"].values())
            assert fit["limit"] in ("memory", "logic", "multipliers")
    small = {row["board"]: row for row in rows}
    assert small["icebreaker"]["lanes_1"] == 1 << 16 and small["hx8k-evb"]["lanes_8"] is None
    assert small["tang-nano-9k"]["lanes_4"] is None
    assert small["tang-nano-9k"]["fits"]["4"]["limit"] == "logic"
    assert all(small["icestick"][f"lanes_{n}"] is None for n in (1, 4, 8, 16))


def test_boards_of_a_file(capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nlike = "ulx3s-25f"\n')
    mine, theirs = (ok(capsys, "boards", "--board", b)["boards"] for b in (path, "ulx3s-25f"))
    assert [row | {"board": "ulx3s-25f"} for row in mine] == theirs
    path.write_text('name = "mine"\nlike = "ulx3s-25f"\nclok = 1\n')
    code, _, err = call(capsys, "boards", "--board", path)
    assert code == 2 and err == (f"triodia: {path}: there is no key clok; did you mean clock?\n")
