"""PLL settings and instances, for each family with a PLL."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from amaranth import *
from amaranth.lib.io import PortLike

from triodia_hw.errors import TriodiaError

__all__ = ["LIMITS", "Limits", "NoSuchClock", "Pll", "add_pll", "pll_settings"]


class NoSuchClock(TriodiaError, ValueError):
    """The PLL cannot make the clock, or it is too slow for the serial line.

    The message lists clocks that are possible."""


@dataclass(frozen=True)
class Limits:
    """Limits of a family's PLL; frequencies in MHz.

    Parameters
    ----------
    compare : range of the phase comparator. oscillator : range of the internal oscillator.
    reference, feedback, output : ranges of the dividers.
    inside : the output divider is in the feedback path, so ``feedback`` multiplies the output.
    """

    compare: tuple[float, float]
    oscillator: tuple[float, float]
    reference: tuple[int, ...]
    feedback: range
    output: tuple[int, ...]
    inside: bool = False


LIMITS = {
    # Lattice FPGA-DS-02012, sysCLOCK PLL timing; feedback from CLKOP.
    "ecp5": Limits(
        compare=(3.125, 400.0),
        oscillator=(400.0, 800.0),
        reference=tuple(range(1, 129)),
        feedback=range(1, 129),
        output=tuple(range(128, 0, -1)),
        inside=True,
    ),
    # Lattice FPGA-DS-02029 and FPGA-TN-02052: simple feedback; as Project IceStorm's icepll.
    "ice40": Limits(
        compare=(10.0, 133.0),
        oscillator=(533.0, 1066.0),
        reference=tuple(range(1, 17)),
        feedback=range(1, 129),
        output=tuple(1 << q for q in range(6, 0, -1)),
    ),
    # Xilinx DS181, PLLE2 of speed grade -1.
    "xilinx": Limits(
        compare=(19.0, 450.0),
        oscillator=(800.0, 1600.0),
        reference=tuple(range(1, 57)),
        feedback=range(2, 65),
        output=tuple(range(128, 0, -1)),
    ),
}


# Xilinx DS181, MMCME2 of speed grade -1: it takes slower oscillators than the PLL does.
_MMCM = Limits(
    compare=(10.0, 450.0),
    oscillator=(600.0, 1200.0),
    reference=tuple(range(1, 107)),
    feedback=range(2, 65),
    output=tuple(range(128, 0, -1)),
)


@dataclass(frozen=True)
class Pll:
    """Dividers before the comparator, in the feedback path and after the oscillator.

    Output = input / ``reference`` * ``feedback``, divided by ``output`` unless that divider is in
    the feedback path. ``compare_mhz`` is the frequency of the phase comparator.
    """

    reference: int
    feedback: int
    output: int
    compare_mhz: float


def pll_settings(input_hz: float, output_hz: float, family: str = "ecp5") -> Pll:
    """Settings for exactly ``output_hz``, with the fastest comparator, then oscillator.

    Raises
    ------
    NoSuchClock
    """
    nearest, limits = (float("inf"), 0.0), LIMITS[family]
    if family == "xilinx" and _is_slow(input_hz / 1e6):
        limits = _MMCM
    for made, settings in _near(input_hz / 1e6, output_hz / 1e6, limits):
        if abs(made * 1e6 - output_hz) <= 1e-6 * output_hz:
            return settings
        nearest = min(nearest, (abs(made - output_hz / 1e6), -made))
    if nearest[0] == float("inf"):
        raise NoSuchClock(f"the PLL takes no oscillator of {input_hz / 1e6:g} MHz")
    raise NoSuchClock(
        f"clock must be one that the PLL makes of {input_hz / 1e6:g} MHz, "
        f"not {output_hz / 1e6:g} MHz; the nearest is {-nearest[1]:g} MHz"
    )


def _is_slow(mhz: float) -> bool:
    """Whether a Xilinx PLL cannot take this oscillator."""
    return mhz < LIMITS["xilinx"].compare[0]


def _near(source: float, wanted: float, limits: Limits) -> Iterator[tuple[float, Pll]]:
    """Nearest feedback for each pair of dividers, and the output in MHz."""
    for reference in limits.reference:
        compare = source / reference
        if not limits.compare[0] <= compare <= limits.compare[1]:
            continue
        for output in limits.output:
            step = compare if limits.inside else compare / output
            slowest, fastest = (hertz / (step * output) for hertz in limits.oscillator)
            least = max(limits.feedback[0], math.ceil(slowest))
            most = min(limits.feedback[-1], math.floor(fastest))
            if least <= most:
                feedback = min(max(round(wanted / step), least), most)
                yield step * feedback, Pll(reference, feedback, output, compare)


def add_pll(
    m: Module, clock: Value | PortLike, settings: Pll, family: str = "ecp5"
) -> tuple[Signal, Signal]:
    """Add a PLL fed by ``clock``; return its clock and its lock signal.

    On an iCE40 ``clock`` may be a pin, which is then dedicated to the PLL.
    """
    made, locked = Signal(), Signal()
    m.submodules.pll = _INSTANCES[family](m, clock, settings, made, locked)
    return made, locked


def _ecp5(m: Module, clock: Value, settings: Pll, made: Signal, locked: Signal) -> Instance:
    return Instance(
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
        **{f"i_{name}": Const(0) for name in _ECP5_UNUSED},
        o_CLKOP=made,
        o_LOCK=locked,
    )


_ECP5_UNUSED = (
    *("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PHASEDIR", "PHASESTEP", "PHASELOADREG"),
    *("PLLWAKESYNC", "ENCLKOP"),
)

# Loop filter by the highest comparator frequency in MHz it suits.
_ICE40_FILTERS = ((17, 1), (26, 2), (44, 3), (66, 4), (101, 5), (133, 6))


def _ice40(
    m: Module, clock: Value | PortLike, settings: Pll, made: Signal, locked: Signal
) -> Instance:
    pad = not isinstance(clock, Value)
    source = {"i_PACKAGEPIN": clock.io} if pad else {"i_REFERENCECLK": clock}
    chosen = next(number for most, number in _ICE40_FILTERS if settings.compare_mhz <= most)
    return Instance(
        "SB_PLL40_PAD" if pad else "SB_PLL40_CORE",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=Const(settings.reference - 1, 4),
        p_DIVF=Const(settings.feedback - 1, 7),
        p_DIVQ=Const(settings.output.bit_length() - 1, 3),
        p_FILTER_RANGE=Const(chosen, 3),
        **source,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=made,
        o_LOCK=locked,
    )


def _xilinx(m: Module, clock: Value, settings: Pll, made: Signal, locked: Signal) -> Instance:
    loop, output = Signal(), Signal()
    m.submodules.pll_buffer = Instance("BUFG", i_I=output, o_O=made)
    source = settings.compare_mhz * settings.reference
    slow = _is_slow(source)
    mark = "_F" if slow else ""  # an MMCM also divides by fractions
    return Instance(
        "MMCME2_BASE" if slow else "PLLE2_BASE",
        p_CLKIN1_PERIOD=1e3 / source,
        p_DIVCLK_DIVIDE=settings.reference,
        **{f"p_CLKFBOUT_MULT{mark}": settings.feedback},
        **{f"p_CLKOUT0_DIVIDE{mark}": settings.output},
        i_CLKIN1=clock,
        i_CLKFBIN=loop,
        o_CLKFBOUT=loop,
        o_CLKOUT0=output,
        i_RST=Const(0),
        i_PWRDWN=Const(0),
        o_LOCKED=locked,
    )


_INSTANCES: dict[str, Callable[..., Instance]] = {
    "ecp5": _ecp5,
    "ice40": _ice40,
    "xilinx": _xilinx,
}
