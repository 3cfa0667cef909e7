"""The ECP5's PLL: settings for a clock, and the instance."""

from dataclasses import dataclass

from amaranth import *

__all__ = ["NoSuchClock", "Pll", "add_pll", "pll_settings"]

# MHz: of the phase comparator and the oscillator inside (Lattice FPGA-DS-02012, sysCLOCK PLL).
_COMPARE = (3.125, 400.0)
_OSCILLATOR = (400.0, 800.0)


class NoSuchClock(ValueError):
    """A clock that the PLL cannot make; the message says the nearest."""


@dataclass(frozen=True)
class Pll:
    """Dividers: output = input / ``reference`` * ``feedback``; ``output`` from the oscillator."""

    reference: int
    feedback: int
    output: int


def pll_settings(input_hz: float, output_hz: float) -> Pll:
    """Settings that make exactly ``output_hz``, with the fastest oscillator there is.

    Raises
    ------
    NoSuchClock
    """
    best, nearest = None, (float("inf"), 0.0)
    for reference in range(1, 129):
        compare = input_hz / reference / 1e6
        if not _COMPARE[0] <= compare <= _COMPARE[1]:
            continue
        for feedback in range(1, 129):
            made = compare * feedback
            nearest = min(nearest, (abs(made - output_hz / 1e6), made))
            if abs(made * 1e6 - output_hz) > 1e-6 * output_hz:
                continue
            output = min(int(_OSCILLATOR[1] / made), 128)
            if output and made * output >= _OSCILLATOR[0] and best is None:
                best = Pll(reference, feedback, output)
    if best is None:
        raise NoSuchClock(
            f"clock must be one that the PLL makes of {input_hz / 1e6:g} MHz, "
            f"not {output_hz / 1e6:g} MHz; the nearest is {nearest[1]:g} MHz"
        )
    return best


def add_pll(m: Module, clock: Value, settings: Pll) -> tuple[Signal, Signal]:
    """Add a PLL fed by ``clock``; returns its clock, and whether that is steady."""
    made, locked = Signal(), Signal()
    m.submodules.pll = Instance(
        "EHXPLLL",
        a_ICP_CURRENT="12",
        a_LPF_RESISTOR="8",
        a_MFG_ENABLE_FILTEROPAMP="1",
        a_MFG_GMCREF_SEL="2",
        p_PLLRST_ENA="DISABLED",
        p_INTFB_WAKE="DISABLED",
        p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED",
        p_OUTDIVIDER_MUXA="DIVA",
        p_OUTDIVIDER_MUXB="DIVB",
        p_OUTDIVIDER_MUXC="DIVC",
        p_OUTDIVIDER_MUXD="DIVD",
        p_CLKI_DIV=settings.reference,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_DIV=settings.output,
        p_CLKOP_CPHASE=settings.output - 1,
        p_CLKOP_FPHASE=0,
        p_FEEDBK_PATH="CLKOP",
        p_CLKFB_DIV=settings.feedback,
        i_CLKI=clock,
        i_CLKFB=made,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(0),
        i_PHASESTEP=Const(0),
        i_PHASELOADREG=Const(0),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        o_CLKOP=made,
        o_LOCK=locked,
    )
    return made, locked
