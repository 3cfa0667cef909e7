# amaranth: UnusedElaboratable=no
"""Boards with an SDRAM: pins, the virtual board with its memory, and a build."""

import time
from dataclasses import replace

import pytest

from tests.support.networks import random_events, random_image
from triodia.host.board import open_board
from triodia.host.errors import MemoryFault
from triodia.host.run import run_samples
from triodia_boards.capacity import sdram_words
from triodia_boards.catalog import BOARDS
from triodia_boards.datafile import BadBoard, board_of
from triodia_boards.flow.build import build
from triodia_boards.flow.limits import DoesNotFit, check_fit
from triodia_boards.virtual_source import top_source
from triodia_hw.errors import ContractError
from triodia_sim.sdram import memory_on_board
from triodia_sim.virtual_board import BoardPins, VirtualBoard, compile_board

BOARD, BAUD = BOARDS["ulx3s-25f"], 25_000_000


def image_of(seed, **sizes):
    return random_image(seed, external=True, lanes=1, **sizes)


def program(image, folder, **memory):
    rtlil, pins, divisor = top_source(image.params, BOARD, baud=BAUD)
    beside = memory_on_board(image.params, pins, **memory)
    return compile_board(rtlil, BoardPins(**pins), folder, memory=beside), divisor


@pytest.mark.slow
def test_a_virtual_board_is_loaded_and_computes(tmp_path):
    """Two networks in turn, over the line, into a memory that is empty at first."""
    image = image_of(1, neurons=80, inputs=6, density=0.7)
    running, divisor = program(image, tmp_path)
    samples = [random_events(image, 10, seed) for seed in range(3)]
    other = replace(image, weight=-image.weight - (image.weight == -128))
    with VirtualBoard(running, divisor) as virtual, open_board(virtual.port, timeout=60) as host:
        assert host.welcome.params == image.params
        for network in (image, other):
            host.load(network)
            report = run_samples(host, samples, check=True)
            assert (report.mismatches, report.first) == (0, None)
            assert report.operations > 10_000


@pytest.mark.slow
def test_a_memory_that_answers_wrongly_is_one_sentence(tmp_path):
    image = image_of(1, neurons=20)
    running, divisor = program(image, tmp_path, fault=1)
    with VirtualBoard(running, divisor) as virtual:
        with pytest.raises(MemoryFault, match=r"^The SDRAM of the board at \S+ answers wrongly: "):
            with open_board(virtual.port, timeout=60) as host:
                for _ in range(100):
                    host.load(image)
                    time.sleep(0.1)


@pytest.mark.slow
def test_place_and_route_reaches_the_clock(tmp_path):
    image = image_of(1, neurons=1000, inputs=16, density=0.1)
    report = build(image, BOARD, tmp_path, progress=lambda _: None)
    assert report.clock_mhz >= 85 and report.fmax_mhz >= report.clock_mhz
    assert report.blocks < 20 and not report.baked
    assert (tmp_path / "ulx3s-25f.bit").stat().st_size > 100_000
    config = (tmp_path / "top.config").read_text()
    assert config.count("BIDIR_LVCMOS33") == 2 * 16  # each data pin is named in two tiles


def test_boards_without_memory_are_refused():
    p = image_of(2).params
    message = r"^icebreaker has no SDRAM for the synapses; take one of ulx3s-12f, .* or quantize"
    with pytest.raises(DoesNotFit, match=message):
        check_fit(p, BOARDS["icebreaker"])
    with pytest.raises(DoesNotFit, match=r"^synapses in SDRAM cannot have parity: "):
        check_fit(p, BOARD, parity=True)
    with pytest.raises(ContractError, match=r"^The SDRAM runs at 85 to 133 MHz, not at 50 MHz;"):
        top_source(p, BOARD, baud=1_000_000, clock_hz=50_000_000)


def test_what_fits_is_counted():
    assert sdram_words(BOARD, 2000) == 1 << 24
    assert sdram_words(BOARDS["ulx3s-12f"], 16_384) == 0
    assert sdram_words(BOARDS["icebreaker"], 100) == 0
    assert sdram_words(BOARD, 100, weight_bits=16) == 0


def test_a_section_with_too_few_pins_is_refused():
    text = 'name = "mine"\nlike = "ulx3s-25f"\n[sdram]\ndq = ["J16"]\n'
    with pytest.raises(BadBoard, match=r"sdram\.dq must be 16 pins, not 1\.$"):
        board_of(text, "mine.toml")
