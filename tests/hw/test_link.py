"""The board's side of the link against its model, frame by frame."""

import pytest

from tests.support import link_plays
from tests.support.link_bench import WELCOME, P
from triodia_hw.link.welcome import LINK_VERSION, BadWelcome, Welcome
from triodia_hw.machine.params import MachineParams


@pytest.mark.parametrize("play", link_plays.PLAYS)
def test_play(play):
    link_plays.PLAYS[play]()


@pytest.mark.parametrize("seed", range(2))
def test_equals_its_model(seed):
    link_plays.like_its_model(seed)


def test_long_session():
    link_plays.long_session(1_000)


def test_welcome():
    other = {"synaptic": True, "adaptive": True, "reset": "value", "fires": "above"}
    delayed = MachineParams(inputs=3, neurons=1, lanes=1, delays=(1, 40, 63))
    shared = MachineParams(inputs=3, neurons=40, lanes=2, shared_rows=True)
    for p in (P, MachineParams(inputs=1 << 14, neurons=1, lanes=32, **other), delayed, shared):
        for loadable in (True, False):
            welcome = Welcome(p, 125_000_000, loadable, "a-board", "0.1.0")
            assert Welcome.decode(welcome.encode()) == welcome


def test_welcome_of_another_version():
    text = (
        rf"^the board speaks link version 9 and this host {LINK_VERSION}; build the bitstream "
        r"and run the host with the same Triodia version$"
    )
    with pytest.raises(BadWelcome, match=text):
        Welcome.decode(b"\x09" + WELCOME.encode()[1:])


@pytest.mark.parametrize("payload", [WELCOME.encode()[:20], bytes([LINK_VERSION]) + bytes(60)])
def test_welcome_that_makes_no_sense(payload):
    text = r"^the board describes a machine that cannot be \(.*\); build it again$"
    with pytest.raises(BadWelcome, match=text):
        Welcome.decode(payload)
