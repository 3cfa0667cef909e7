# amaranth: UnusedElaboratable=no
"""Settings of the PLL: exact, and within what the chip can do."""

import pytest

from triodia_boards.boards import BOARDS
from triodia_boards.flow import CLOCKS_MHZ
from triodia_boards.pll import NoSuchClock, pll_settings


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("mhz", CLOCKS_MHZ)
def test_every_clock_of_every_board(name, mhz):
    oscillator = BOARDS[name].make_platform().default_clk_frequency
    pll = pll_settings(oscillator, mhz * 1e6)
    assert oscillator * pll.feedback == mhz * 1e6 * pll.reference
    assert 3.125e6 <= oscillator / pll.reference <= 400e6
    assert 400e6 <= mhz * 1e6 * pll.output <= 800e6
    assert all(1 <= divider <= 128 for divider in (pll.reference, pll.feedback, pll.output))


def test_no_such_clock():
    text = (
        r"^clock must be one that the PLL makes of 25 MHz, not 33.333 MHz; the nearest is .* MHz$"
    )
    with pytest.raises(NoSuchClock, match=text):
        pll_settings(25e6, 33.333e6)
