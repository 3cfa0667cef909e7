# amaranth: UnusedElaboratable=no
"""The SDRAM controller, against the model of the chip and against rules that a solver checks."""

from dataclasses import replace

import pytest

from tests.support.sdram_bench import result, run
from triodia_hw.compile.sdram import SLOW_NS, SdramTiming
from triodia_hw.errors import ContractError

USUAL = replace(SdramTiming.at(100e6), power_up=50)
FAST = replace(SdramTiming.at(133e6), power_up=50)
RULES = {
    "activate_to_read": "tRCD",
    "precharge": "tRP",
    "activate_to_precharge": "tRAS",
    "between_banks": "tRRD",
    "refresh": "tRFC",
    "write_recovery": "tWR",
    "mode": "tMRD",
}


@pytest.mark.parametrize("clock", [100e6, 133e6])
def test_words_are_those_that_were_written(clock, tmp_path):
    timing, period = (FAST, 7519) if clock > 100e6 else (USUAL, 10_000)
    found = result(run(tmp_path, timing, period_ps=period, seed=round(clock)))
    assert (found["wrong"], found["failed"]) == (0, 0)
    assert found["words"] > 10_000 and found["writes"] > 200


def test_long_bursts_hide_the_opening_of_rows(tmp_path):
    """Bursts of up to 200 words in random pages; writes and the start take some of the cycles."""
    found = result(run(tmp_path, USUAL, burst=200))
    assert found["wrong"] == 0
    assert found["words"] > 15_000


@pytest.mark.parametrize("name", RULES)
def test_the_model_sees_each_wait_that_is_too_short(name, tmp_path):
    """Each time of the chip is longer than the controller knows, by a cycle."""
    longer = {"write_recovery": 4, "between_banks": 9}  # else other waits cover them
    timing = replace(USUAL, **{name: longer.get(name, getattr(USUAL, name))})
    times = {RULES[name]: 10_000 * getattr(timing, name) + 1}
    if name == "write_recovery":  # so that nothing else makes the controller wait
        timing = replace(timing, activate_to_precharge=2)
        times["tRAS"] = 20_000
    printed = run(tmp_path, timing, **times)
    assert f"SDRAM: {RULES[name]} violated" in printed


def test_the_model_sees_late_refreshes_and_an_early_start(tmp_path):
    assert "tREFI violated" in run(tmp_path, USUAL, tREFI=4_000_000)
    assert "power-up violated" in run(tmp_path, USUAL, POWER_UP=600_000)
    assert "refreshes at start violated" in run(tmp_path, replace(USUAL, boot_refreshes=1))
    assert "mode violated" in run(tmp_path, USUAL, CAS=2)


@pytest.mark.parametrize("fault", [1, 2, 3, 4])
def test_the_start_finds_broken_lines(fault, tmp_path):
    assert result(run(tmp_path, USUAL, cycles=2000, FAULT=fault))["failed"] == 1


def test_times_are_whole_cycles_that_last_long_enough():
    for clock in (85e6, 100e6, 125e6, 133e6):
        timing = SdramTiming.at(clock)
        for name, least in SLOW_NS.items():
            if name == "activate_to_activate":
                cycles = timing.activate_to_precharge + timing.precharge
            else:
                cycles = getattr(timing, name)
            assert cycles * 1e9 / clock >= least
            assert cycles == 2 or (cycles - 1) * 1e9 / clock < least or "activate_to" in name
        assert timing.refresh_every * 1e9 / clock * 8192 <= 64e6


def test_the_pattern_drives_every_line_both_ways():
    """No two data lines ever equal each other's value or its inverse in all words of the test."""
    word, words = 0xACE1, []
    for _ in range(25):
        words.append(word)
        word ^= word << 7 & 0xFFFF
        word ^= word >> 9
        word ^= word << 8 & 0xFFFF
    assert len(set(words)) == 25
    for a in range(16):
        column = [w >> a & 1 for w in words]
        assert set(column) == {0, 1}
        for b in range(a):
            pairs = {(w >> a & 1, w >> b & 1) for w in words}
            assert len(pairs) == 4


@pytest.mark.parametrize("clock", [150e6, 80e6, float("nan")])
def test_clocks_that_the_chip_does_not_take_are_refused(clock):
    with pytest.raises(ContractError, match=r"^The SDRAM runs at 85 to 133 MHz, not at "):
        SdramTiming.at(clock)
