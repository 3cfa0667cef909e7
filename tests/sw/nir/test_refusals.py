"""Imports and samples that must be refused in one sentence, leaving no file."""

import warnings

import nir
import numpy as np
import pytest

from tests.support.commands import call, ok
from tests.support.nir_graphs import DT, chain, neurons
from tests.support.parts import changed
from tests.sw.network.test_network import task_network
from tests.sw.nir.test_files import ONE, graph, lif
from triodia.nir.exporter import export_nir

TWO = np.array([2])


def made(nodes, edges, shape=(2,), **options):
    ends = {"input": nir.Input(np.array(shape)), "output": nir.Output(TWO)}
    return nir.NIRGraph(nodes={**ends, **nodes}, edges=edges, type_check=False, **options)


def subgraph():
    return made({"lif": lif()}, [("input", "lif"), ("lif", "output")])


WIDE = (1 << 14) + 1
REFUSED = {
    "two nodes are called 'a.lif' once subgraphs are put in place": made(
        {"a": subgraph(), "a.lif": lif()}, [("input", "a"), ("a", "a.lif"), ("a.lif", "output")]
    ),
    "the graph must have one Input node, not 0; add it": nir.NIRGraph({}, [], type_check=False),
    "the graph has 16385 inputs, and a machine takes at most 16384": nir.NIRGraph(
        {"i": nir.Input(np.array([5, 29, 113])), "w": nir.Linear(np.ones((2, WIDE), np.float16))}
        | {"lif": lif(), "o": nir.Output(TWO)},
        [("i", "w"), ("w", "lif"), ("lif", "o")],
        type_check=False,
    ),
    "the graph has 16385 neurons, and a machine takes at most 16384": nir.NIRGraph.from_list(
        nir.Linear(np.ones((WIDE, 2), np.float16)),
        neurons("LIF", WIDE, np.random.default_rng(0)),
        type_check=False,
    ),
    "metadata 'reset' of the file must be one value, not 3": made(
        {"lif": lif()}, [("input", "lif"), ("lif", "output")], metadata={"reset": np.zeros(3)}
    ),
    "clamp it below 1 before you export (snnTorch itself clamps it in each step": graph(
        lif(tau=ONE * -0.01)
    ),
    "the shape of the Input must be above 0, not [-3]": made(
        {"lif": lif()}, [("input", "lif"), ("lif", "output")], shape=(-3,)
    ),
    "the graph has 1000000000000 inputs, and a machine takes at most": made(
        {"lif": lif()}, [("input", "lif"), ("lif", "output")], shape=(10**6, 10**6)
    ),
    "too many nodes in a row without neurons between": graph(*[nir.Scale(ONE)] * 600, lif()),
    "(its task japanese-vowels has 12 inputs and 9 classes, and the graph 2 and 2)": made(
        {"lif": lif()},
        [("input", "lif"), ("lif", "output")],
        metadata={"triodia": {"task": "japanese-vowels", "input_clip": 4.0, "provenance": "[]"}},
    ),
    "a '/' in a node's name does that": made({"a/b": lif()}, [("input", "a/b"), ("a/b", "output")]),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_graphs(sentence, tmp_path, capsys):
    nir.write(tmp_path / "a.nir", REFUSED[sentence])
    code, out, err = call(
        capsys, "import-nir", tmp_path / "a.nir", "-o", tmp_path / "a.net", "--dt", "0.001"
    )
    assert code == 2 and not out
    assert sentence in err and err.count("\n") == 1, err
    assert not (tmp_path / "a.net").exists()


def test_a_timing_that_our_own_networks_have_not(tmp_path, capsys):
    net = changed(task_network(), bias_out=np.ones(2))
    export_nir(net, tmp_path / "a.nir")
    arguments = ("import-nir", tmp_path / "a.nir", "-o", tmp_path / "a.net")
    code, _, err = call(capsys, *arguments, "--timing", "layered")
    assert code == 2 and f"of {net.neurons} neurons" in err and "leave --timing out" in err
    ok(capsys, *arguments)


@pytest.fixture
def network(tmp_path, capsys):
    nir.write(tmp_path / "a.nir", chain(0, ["LIF"]))
    ok(capsys, "import-nir", tmp_path / "a.nir", "-o", tmp_path / "a.net", "--dt", DT)
    return tmp_path / "a.net"


def refused(network, capsys, *options):
    image = network.with_suffix(".image")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # numpy's would be lines of their own
        code, _, err = call(capsys, "quantize", network, "-o", image, *options)
    assert code == 2 and err.count("\n") == 1 and not image.exists(), err
    return err


X = np.ones((2, 4, 3))


@pytest.mark.parametrize(
    "arrays, sentence",
    [
        ({"x": X * 1e300}, "finite"),
        ({"x": X, "y_test": np.array([0, 1])}, "x_test"),
        (
            {"x": X, "y": np.zeros(2)},
            "whole numbers",
        ),
        ({"x": X, "y": np.zeros(3, int)}, "y"),
        ({"x": X, "y": np.array([0, 7])}, "7"),
    ],
)
def test_samples(network, arrays, sentence, tmp_path, capsys):
    np.savez(tmp_path / "d.npz", **arrays)
    assert sentence in refused(network, capsys, "--data", tmp_path / "d.npz")


def test_files_that_are_no_samples(network, tmp_path, capsys):
    np.save(tmp_path / "x.npy", X)
    for file in (tmp_path / "x.npy", tmp_path / "a.nir"):
        err = refused(network, capsys, "--data", file)
        assert ".npz" in err and "pickle" not in err


@pytest.mark.parametrize("option", ["--state-bits", "--leak-bits", "--fraction-bits"])
def test_widths(network, option, capsys):
    assert option in refused(network, capsys, option, 200)
