"""The map of event-driven against dense: its points, its line, its table and its picture."""

import math

import pytest

from triodia_hw.errors import ContractError
from triodia_hw.machine.params import MachineParams
from triodia_studies.bench.crossover import (
    DENSITIES,
    LANES,
    NEURONS,
    PLACED,
    compared,
    map_plan,
    placed_plan,
)
from triodia_studies.bench.crossover_page import crossing, map_rows, picture, placed_rows


def _row(neurons, density, blocks, dense_blocks):
    row = {"neurons": neurons, "density": density, "blocks": blocks}
    return row | {"dense_blocks": dense_blocks, "cycles": 10.0, "dense_cycles": 200.0}


ROWS = [_row(64, d, 30, 8) for d in (0.1, 0.5, 1.0)]
ROWS += [_row(256, d, b, 40) for d, b in ((0.1, 20), (0.5, 30), (1.0, 80))]
ROWS += [_row(512, d, 10, 400) for d in (0.1, 0.5, 1.0)]


def test_a_point_counts_both_designs(tmp_path):
    size = {"neurons": 64, "lanes": LANES, "rate": 0.05, "seed": 0}
    sparse, full = (compared.work(tmp_path, size | {"density": d}) for d in (0.1, 1.0))
    assert sparse["dense_blocks"] == full["dense_blocks"] and sparse["blocks"] <= full["blocks"]
    assert sparse["cycles"] < full["cycles"] < full["dense_cycles"] == sparse["dense_cycles"]
    # 16 inputs, 80 weights of each of 16 neurons a PE, and the constants of the page on the machine
    assert full["dense_cycles"] == 16 + 1 + 16 * 80 + LANES + 13
    assert full["synapses"] == 64 * 80


def test_the_line_is_where_both_take_equally_many_block_rams():
    line = crossing(ROWS)
    # between 0.5 (3/4 of the dense design's) and 1 (twice as many), on logarithmic axes
    share = math.log(4 / 3) / math.log(2 / 0.75)
    assert line[256] == pytest.approx(0.5 * 2**share)
    assert math.isnan(line[64]) and math.isnan(line[512])


def test_rows_of_the_table():
    small, middle, large = map_rows(ROWS)
    assert (small["always"], middle["always"], large["always"]) == (False, False, True)
    assert (middle["blocks_0.1"], middle["blocks_0.5"], middle["dense_blocks"]) == (20, 30, 40)


def test_placed_points_stand_side_by_side():
    results = [
        {**one, "luts": 100 + one["dense"], "blocks": 3, "fmax_mhz": 90.0} for one in placed_plan()
    ]
    rows = placed_rows(results)
    assert [(row["neurons"], row["density"]) for row in rows] == list(PLACED)
    assert all(row["dense_luts"] == 101 and row["luts"] == 100 for row in rows)


def test_only_what_no_machine_holds_is_left_out():
    planned = {(one["neurons"], one["density"]) for one in map_plan()}
    assert {(n, d) for n in NEURONS for d in DENSITIES} - planned == {(2048, 1.0)}
    words = 2048 // LANES * (2048 + 16)
    with pytest.raises(ContractError, match="synapse_words"):
        MachineParams(inputs=16, neurons=2048, lanes=LANES, synapse_words=words)
    assert set(PLACED) <= planned


def test_the_picture_follows_the_numbers_and_is_the_same_every_time():
    drawn = picture(ROWS)
    assert drawn == picture(ROWS) and "<svg" in drawn
    assert drawn != picture([row | {"blocks": row["blocks"] + 9} for row in ROWS])
