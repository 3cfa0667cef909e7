"""Place and route: what nextpnr gives up is tried once more."""

import json

import pytest

from triodia_boards import toolchain
from triodia_boards.fit import DoesNotFit
from triodia_boards.tools import BuildError

_GIVEN_UP = "nextpnr-ice40 failed: Unable to find legal placement for all cells"
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
        ({1: "nextpnr-ice40 failed: out of memory"}, [1], BuildError),
    ],
)
def test_what_cannot_be_mended(monkeypatch, tmp_path, failures, tried, error):
    seeds = _nextpnr(monkeypatch, failures)
    with pytest.raises(error):
        toolchain.TOOLCHAINS["ice40"].place_and_route((), tmp_path, seed=1)
    assert seeds == tried
