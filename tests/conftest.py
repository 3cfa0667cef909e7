"""Every test has a seed, which a failing test prints."""

import pytest

from tests.support.bench import seed_stalls


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
