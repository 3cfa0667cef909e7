"""Place-and-route: a placement that nextpnr gives up is tried once more."""

import json

import pytest

from triodia_boards.flow import toolchain
from triodia_boards.flow.limits import DoesNotFit
from triodia_boards.flow.tools import BuildError

_GIVEN_UP = "nextpnr-ice40 failed: Unable to find legal placement for all cells"
_OVERFULL = "nextpnr-ice40 failed: Failed to expand region (0, 0) |_> (33, 33) of 8298 ICESTORM_LCs"
_COUNTS = """Info: Device utilisation:
Info: \t         ICESTORM_LC:    8299/   7680   108%
Info: \t        ICESTORM_RAM:      30/     32    93%
"""
_TOO_LARGE = "nextpnr-ice40 failed: Unable to place cell, no BELs remaining"


def _nextpnr(monkeypatch, failures):
    """nextpnr that fails with ``failures[seed]``; the seeds it was called with."""
    seeds = []

    def run(program, options, folder, package):
        (seed,) = [int(o.partition("=")[2]) for o in options if o.startswith("--seed=")]
        seeds.append(seed)
        if seed in failures:
            raise BuildError(failures[seed])
        report = {"utilization": {"ICESTORM_LC": {"used": 7}}, "fmax": {"clk": {"achieved": 40.0}}}
        (folder / "report.json").write_text(json.dumps(report))

    monkeypatch.setattr(toolchain, "run_tool", run)
    return seeds


def test_the_next_seed_after_one_that_found_no_placement(monkeypatch, tmp_path):
    seeds = _nextpnr(monkeypatch, {1: _GIVEN_UP})
    routed = toolchain.TOOLCHAINS["ice40"].place_and_route((), tmp_path, seed=1)
    assert seeds == [1, 2] and routed.seed == 2 and routed.luts == 7


@pytest.mark.parametrize(
    ("failures", "tried", "error"),
    [
        ({1: _GIVEN_UP, 2: _GIVEN_UP}, [1, 2], DoesNotFit),
        ({1: _TOO_LARGE}, [1], DoesNotFit),
        ({1: _OVERFULL}, [1], DoesNotFit),
        ({1: "nextpnr-ice40 failed: out of memory"}, [1], BuildError),
    ],
)
def test_what_cannot_be_mended(monkeypatch, tmp_path, failures, tried, error):
    seeds = _nextpnr(monkeypatch, failures)
    with pytest.raises(error):
        toolchain.TOOLCHAINS["ice40"].place_and_route((), tmp_path, seed=1)
    assert seeds == tried


def test_too_much_logic_says_how_much(monkeypatch, tmp_path):
    _nextpnr(monkeypatch, {1: _OVERFULL})
    (tmp_path / "nextpnr-ice40.log").write_text(_COUNTS)
    text = (
        r"^the machine needs more logic than the FPGA has \(8299 ICESTORM_LC of 7680\); use fewer "
        r"lanes or take a larger board$"
    )
    with pytest.raises(DoesNotFit, match=text):
        toolchain.TOOLCHAINS["ice40"].place_and_route((), tmp_path, seed=1)
