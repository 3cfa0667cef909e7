"""Bits per weight of `quantize`: asked for, or those the network was last trained for."""

import pytest

from triodia.cli.quantize import _bits
from triodia.network.random import new_network
from triodia_hw.errors import TriodiaError


def trained(*bits):
    net = new_network(4, 0)
    for count in bits:
        net = net.with_provenance(command="train", weight_bits=count)
    return net.with_provenance(command="test")


def test_the_last_training_counts():
    assert _bits(None, trained(4)) == 4
    assert _bits(None, trained(4, 0)) == 8  # trained on without a grid
    assert _bits("auto", trained(0, 3)) == 3
    assert _bits(None, new_network(4, 0)) == 8
    assert _bits("6", trained(4)) == 6


@pytest.mark.parametrize("text", ["1", "17", "4.5", "few"])
def test_other_widths_are_refused(text):
    with pytest.raises(TriodiaError, match="`--weight-bits` must be between 2 and 16, or auto"):
        _bits(text, trained(4))
