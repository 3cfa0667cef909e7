# amaranth: UnusedElaboratable=no
"""Settings of the PLLs: exact, and within what the chips can do."""

import re

import pytest

from triodia_boards.catalog import BOARDS
from triodia_boards.flow.build import clocks_mhz
from triodia_boards.flow.pll import LIMITS, NoSuchClock, Pll, pll_settings

CASES = [
    (name, mhz)
    for name, board in BOARDS.items()
    if board.family in LIMITS
    for mhz in clocks_mhz(board) or (80, 60)
]


@pytest.mark.parametrize(("name", "mhz"), CASES)
def test_every_clock_of_every_board(name, mhz):
    board = BOARDS[name]
    oscillator = board.oscillator_hz
    pll = pll_settings(oscillator, mhz * 1e6, board.family)
    assert pll.compare_mhz == oscillator / 1e6 / pll.reference
    if board.family == "ecp5":
        assert oscillator * pll.feedback == mhz * 1e6 * pll.reference
        assert 3.125e6 <= oscillator / pll.reference <= 400e6
        assert 400e6 <= mhz * 1e6 * pll.output <= 800e6
        assert all(1 <= divider <= 128 for divider in (pll.reference, pll.feedback, pll.output))
    elif board.family == "ice40":
        icepll(oscillator / 1e6, mhz, pll)
    else:
        assert oscillator * pll.feedback == mhz * 1e6 * pll.reference * pll.output
        slow = oscillator < 19e6  # an MMCM
        assert (600 if slow else 800) <= pll.compare_mhz * pll.feedback <= (1200 if slow else 1600)
        assert (10 if slow else 19) <= pll.compare_mhz <= 450


def icepll(source, wanted, pll):
    """The rules of Project IceStorm's icepll, in its own terms, for simple feedback."""
    divr, divf, divq = pll.reference - 1, pll.feedback - 1, pll.output.bit_length() - 1
    assert 0 <= divr <= 15 and 0 <= divf <= 127 and 1 <= divq <= 6
    assert 10 <= source / (divr + 1) <= 133
    oscillator = source / (divr + 1) * (divf + 1)
    assert 533 <= oscillator <= 1066
    assert oscillator / (1 << divq) == wanted


@pytest.mark.parametrize(
    ("mhz", "divf", "divq"), [(48, 63, 4), (60, 79, 4), (24, 63, 5), (30, 79, 5)]
)
def test_as_icepll(mhz, divf, divq):
    """What `icepll -i 12 -o MHZ` prints: DIVR 0, these, FILTER_RANGE 1."""
    assert pll_settings(12e6, mhz * 1e6, "ice40") == Pll(1, divf + 1, 1 << divq, 12.0)


@pytest.mark.parametrize(
    ("family", "mhz", "nearest"),
    [("ecp5", 1000, "800"), ("ecp5", 1e300, "800"), ("ecp5", 1, "3.125"), ("ice40", 1, "8.4375")],
)
def test_far_from_all_clocks(family, mhz, nearest):
    """ECP5: oscillator 800 MHz by 1, or 400 by 128. iCE40: 540 MHz by 64, the least above 533."""
    source = {"ecp5": 25e6, "ice40": 12e6}[family]
    with pytest.raises(NoSuchClock, match=rf"; the nearest is {re.escape(nearest)} MHz$"):
        pll_settings(source, mhz * 1e6, family)


def test_no_such_clock():
    text = (
        r"^clock must be one that the PLL makes of 25 MHz, not 33.333 MHz; the nearest is .* MHz$"
    )
    with pytest.raises(NoSuchClock, match=text):
        pll_settings(25e6, 33.333e6)
    with pytest.raises(NoSuchClock, match=r"not 20 MHz; the nearest is 19.875 MHz$"):
        pll_settings(12e6, 20e6, "ice40")
