"""Every test has a seed, which a failing test prints; numerics take one thread each."""

import os

import pytest

from tests.support.bench import seed_stalls

# Two test processes fill two cores. Threads of OpenMP that wait for each other by spinning made
# training tests take 30 times as long. Commands that tests start inherit this.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.stash[SEED] = seed_stalls(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        seed = f"TRIODIA_SEED={item.stash[SEED]} repeats these stalls"
        report.sections.append(("seed", seed))
    return report


SEED = pytest.StashKey[int]()
