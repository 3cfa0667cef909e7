"""NIR files: networks round-trip, and what cannot be mapped gets one sentence."""

from dataclasses import replace

import h5py
import nir
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.commands import call, ok
from tests.support.nir_graphs import DT, affine, chain
from tests.support.parts import changed
from tests.sw.network.test_files import equal
from tests.sw.network.test_network import task_network
from triodia.network.files import load_network, save_network
from triodia.network.random import new_network
from triodia.network.topologies import clustered_network
from triodia.nir.exporter import export_nir, graph_of
from triodia.nir.importer import import_nir
from triodia.prune.pipeline import prune
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError

ONE = np.ones(2)


def varied(net, seed=0):
    """``net`` with biases and thresholds of its own for each neuron, and a trained look."""
    rng = np.random.default_rng(seed)
    values = {"bias": rng.normal(0, 0.1, net.neurons)}
    values["threshold"] = rng.uniform(0.5, 2, net.neurons)
    if net.task:
        values |= {"bias_out": rng.normal(size=net.readouts), "input_clip": 4.0}
        values["w_rec"] = net.w_rec * rng.uniform(0, 2, net.w_rec.shape).round()  # zeros on graph
    return changed(net, **values)


NETWORKS = {
    "new": lambda: new_network(20, 1),
    "synaptic": lambda: new_network(20, 1, tau_syn_mean=4.0, reset="zero"),
    "clusters": lambda: clustered_network(24, 2, clusters=3, density=0.3),
    "pruned": lambda: prune(new_network(20, 1), synapses=0.5, nodes=0.8, seed=0)[0],
    "trained": lambda: varied(task_network(20, 2)),
    "trained-synaptic": lambda: varied(task_network(20, 2, tau_syn_mean=3.0, reset="zero")),
    "lanes": lambda: replace(task_network(8, 2), lane=np.arange(8) % 3),
}


@pytest.mark.parametrize("rule", ["euler", "exponential"])
@pytest.mark.parametrize("name", NETWORKS)
def test_ours_come_back_equal(name, rule, tmp_path):
    net, path = NETWORKS[name](), tmp_path / "a.nir"
    export_nir(net, path, discretization=rule)
    back = import_nir(path)
    assert back.provenance[:-1] == net.provenance
    assert back.provenance[-1]["command"] == "import-nir"
    equal(replace(back, provenance=net.provenance), net)
    if net.task:
        x = torch.randn(3, 20, net.inputs, generator=torch.Generator().manual_seed(0))
        steps = torch.full((3,), 20)
        assert torch.equal(SpikingModel(net)(x, steps).v_out, SpikingModel(back)(x, steps).v_out)
    again = path.read_bytes()
    export_nir(net, path, discretization=rule)
    assert path.read_bytes() == again


def test_an_imported_network_comes_back_equal(tmp_path):
    path = tmp_path / "a.nir"
    nir.write(path, chain(0, ["CubaLIF", "LIF"], readout="CubaLI"))
    net = import_nir(path, dt=DT, input_max=2.0)
    export_nir(net, path)
    back = import_nir(path)
    assert back.provenance[:-1] == net.provenance and back.provenance[-1]["delay"] == 0
    equal(replace(back, provenance=net.provenance), net)


def test_a_changed_export_is_what_the_graph_says(tmp_path):
    """Weights and decays come from the nodes; metadata only adds what NIR cannot express."""
    net, path = varied(task_network(10, 1)), tmp_path / "a.nir"
    graph = graph_of(net)
    graph.nodes["w_rec"].weight = graph.nodes["w_rec"].weight + 1.0
    graph.nodes["neurons"].v_threshold = graph.nodes["neurons"].v_threshold * 2
    nir.write(path, graph)
    back = import_nir(path)
    assert back.mask_rec.all() and np.allclose(back.w_rec, net.w_rec + 1)
    assert np.allclose(back.threshold, 2 * net.threshold)


def test_weights_added_to_an_untrained_export_count(tmp_path):
    """Only without them does a network come back as it was before training."""
    made, rng = graph_of(new_network(6, 0)), np.random.default_rng(0)
    nodes = made.nodes | {"input": nir.Input(np.array([3])), "w": affine(6, 3, rng)}
    edges = [e for e in made.edges if e != ("input", "neurons")]
    edges += [("input", "w"), ("w", "neurons")]
    said = made.metadata
    nir.write(tmp_path / "a.nir", nir.NIRGraph(nodes=nodes, edges=edges, metadata=said))
    back = import_nir(tmp_path / "a.nir")
    assert (
        back.inputs == 3 and back.task == "own" and np.allclose(back.head.w_in, nodes["w"].weight)
    )


def test_refractory_periods_are_refused():
    with pytest.raises(TriodiaError, match="20 neurons have refractory periods, which NIR cannot"):
        graph_of(new_network(20, 1, refractory=2))


def test_adaptation_is_refused():
    with pytest.raises(
        TriodiaError, match="10 neurons adapt their thresholds, and NIR has no node"
    ):
        graph_of(new_network(20, 1, adaptive=0.5))


def graph(*nodes):
    """``Input -> nodes -> Output``, each end of two values."""
    return nir.NIRGraph.from_list(
        nir.Input(np.array([2])), *nodes, nir.Output(np.array([2])), type_check=False
    )


def lif(**changes):
    values = {"tau": ONE * 0.01, "r": ONE, "v_leak": ONE * 0, "v_threshold": ONE}
    return nir.LIF(**{**values, "v_reset": ONE * 0} | changes)


REFUSED = {
    "delays of node 'delay' must be whole steps": graph(lif(), nir.Delay(ONE * 0.0015), lif()),
    "node 'threshold' is a Threshold": graph(nir.Threshold(ONE)),
    "tau of node 'lif' must be above 0, not -0.01": graph(lif(tau=ONE * -0.01)),
    "tau of node 'lif' is 0.0001 s, below the step of 0.001 s": graph(lif(tau=ONE * 1e-4)),
    "tau of node 'lif' holds NaN or infinity": graph(lif(tau=ONE * np.inf)),
    "w_in must be finite everywhere": graph(nir.Linear(np.eye(2) * 1e300), lif()),
    "v_threshold of node 'lif' must be above v_reset": graph(lif(v_reset=ONE * 2)),
    "the graph has no LIF, CubaLIF or IF node": graph(nir.Linear(np.eye(2))),
    "node 'lif' takes 2 values, and 'linear' gives 3": graph(nir.Linear(np.ones((3, 2))), lif()),
    "node 'affine' takes 3 values, and 'input' gives 2": graph(
        nir.Affine(np.ones((2, 3)), ONE), lif()
    ),
    "bias of node 'affine' must have 2 values, not 3": graph(
        nir.Affine(np.eye(2), np.ones(3)), lif()
    ),
    "weight of node 'linear' must be [target, source], not of shape (2, 2, 2)": graph(
        nir.Linear(np.ones((2, 2, 2))), lif()
    ),
    "node 'lif' gets a potential, not spikes, from 'li'": graph(nir.LI(ONE, ONE, ONE), lif()),
    "node 'li' must lead to the Output directly": graph(
        lif(), nir.LI(ONE, ONE, ONE), nir.Scale(2 * ONE)
    ),
    "of 'li', 'li_1' only one may be there": graph(
        lif(), nir.LI(ONE, ONE, ONE), nir.LI(ONE, ONE, ONE)
    ),
    "node 'li' gets the Input from 'input'": nir.NIRGraph(
        nodes={
            **{"input": nir.Input(np.array([2])), "lif": lif(), "li": nir.LI(ONE, ONE, ONE)},
            "output": nir.Output(np.array([2])),
        },
        edges=[("input", "lif"), ("input", "li"), ("lif", "li"), ("li", "output")],
        type_check=False,
    ),
    "in a loop without neurons": nir.NIRGraph(
        nodes={"input": nir.Input(np.array([2])), "s": nir.Scale(ONE), "lif": lif()}
        | {"output": nir.Output(np.array([2]))},
        edges=[("input", "s"), ("s", "s"), ("s", "lif"), ("lif", "output")],
        type_check=False,
    ),
    "the graph must have one Input node, not 2 (a, b)": nir.NIRGraph(
        nodes={"a": nir.Input(np.array([2])), "b": nir.Input(np.array([2])), "lif": lif()}
        | {"output": nir.Output(np.array([2]))},
        edges=[("a", "lif"), ("b", "lif"), ("lif", "output")],
        type_check=False,
    ),
    "nothing leads to node 'output'": nir.NIRGraph(
        nodes={"input": nir.Input(np.array([2])), "lif": lif(), "output": nir.Output(ONE)},
        edges=[("input", "lif")],
        type_check=False,
    ),
    "the edge 'input' to 'lost' names a node that is not there": nir.NIRGraph(
        nodes={"input": nir.Input(np.array([2])), "lif": lif(), "output": nir.Output(ONE)},
        edges=[("input", "lost")],
        type_check=False,
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_mapped_is_refused(sentence, tmp_path, capsys):
    nir.write(tmp_path / "a.nir", REFUSED[sentence])
    arguments = ("import-nir", tmp_path / "a.nir", "-o", tmp_path / "a.net", "--dt", "0.001")
    code, out, err = call(capsys, *arguments)
    assert code == 2 and not out
    assert sentence in err and err.count("\n") == 1
    assert not (tmp_path / "a.net").exists()


def test_options_that_do_not_fit(tmp_path, capsys):
    path, net = tmp_path / "a.nir", tmp_path / "a.net"
    nir.write(path, chain(0, ["LIF"]))
    for arguments, sentence in {
        (): "does not say how long a time step is; give --dt in seconds",
        ("--dt", "0"): "dt must be above 0 seconds, not 0.0",
        ("--dt", "0.001", "--reset", "none"): "reset must be zero or subtract or",
        ("--dt", "0.001", "--reset", "subtract"): "v_reset of node 'a' must be 0 when spikes",
        ("--dt", "0.001", "--discretization", "x"): "discretization must be euler or exponential",
        ("--dt", "0.001", "--timing", "x"): "timing must be layered or pipelined, not x",
        ("--dt", "0.001", "--input-max", "0"): "input_max must be above 0, not 0.0",
    }.items():
        code, _, err = call(capsys, "import-nir", path, "-o", net, *arguments)
        assert (code, net.exists()) == (2, False) and sentence in err, err


def test_metadata_of_others_is_read(tmp_path):
    """``dt`` and ``reset`` of graph or node; options go first."""
    one = chain(0, ["LIF"], shift=False)
    one.metadata = {"dt": DT}
    one.nodes["a"].metadata = {"reset": "subtract"}
    nir.write(tmp_path / "a.nir", one)
    step = import_nir(tmp_path / "a.nir").provenance[-1]
    assert (step["dt"], step["dt_from"], step["reset"]) == (DT, "metadata", "subtract")
    step = import_nir(tmp_path / "a.nir", dt=0.0005, reset="zero").provenance[-1]
    assert (step["dt"], step["dt_from"], step["reset"]) == (0.0005, "option", "zero")
    one.nodes["w_a"].metadata = {"dt": 2 * DT}
    nir.write(tmp_path / "a.nir", one)
    with pytest.raises(TriodiaError, match="several values of dt; give --dt"):
        import_nir(tmp_path / "a.nir")
    assert import_nir(tmp_path / "a.nir", dt=DT).provenance[-1]["dt"] == DT


@pytest.mark.parametrize(
    "key, value",
    [
        ("provenance", "[1]"),
        ("provenance", "no JSON"),
        ("task", 3),
        ("sign", np.zeros(3)),
        ("mask_rec", np.ones((2, 3))),
    ],
)
def test_damaged_metadata(key, value, tmp_path):
    made = graph_of(new_network(6, 0))
    made.metadata["triodia"][key] = value
    nir.write(tmp_path / "a.nir", made)
    with pytest.raises(TriodiaError, match="the metadata 'triodia' of the graph is damaged"):
        import_nir(tmp_path / "a.nir")


def test_foreign_files(tmp_path, capsys):
    node, number = tmp_path / "node.nir", tmp_path / "number.nir"
    nir.write(node, lif())
    with h5py.File(number, "w") as file:
        file["x"] = 1
    (tmp_path / "text.nir").write_text("no HDF5")
    save_network(new_network(4, 0), tmp_path / "a.net")
    for name in ("none.nir", "text.nir", "number.nir", "node.nir", "a.net"):
        code, _, err = call(capsys, "import-nir", tmp_path / name, "-o", tmp_path / "o.net")
        assert code == 2 and name in err and err.count("\n") == 1, err
        assert not (tmp_path / "o.net").exists()


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.booleans())
def test_damaged_files_are_read_or_refused(place, value, cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("nir") / "a.nir"
    nir.write(path, chain(0, ["LIF"]))
    content = bytearray(path.read_bytes())
    if cut:
        del content[place % len(content) :]
    else:
        content[place % len(content)] = value
    path.write_bytes(content)
    try:
        import_nir(path, dt=DT)
    except TriodiaError as error:
        assert "\n" not in str(error)


def test_export_command(tmp_path, capsys):
    save_network(task_network(10, 1), tmp_path / "a.net")
    result = ok(capsys, "export-nir", tmp_path / "a.net", "-o", tmp_path / "a.nir")
    assert result["neurons"] == 10 and len(result["remarks"]) == 2
    assert isinstance(nir.read(tmp_path / "a.nir").nodes["neurons"], nir.LIF)
    save_network(new_network(9, 0, refractory=1), tmp_path / "b.net")
    code, _, err = call(capsys, "export-nir", tmp_path / "b.net", "-o", tmp_path / "b.nir")
    assert code == 2 and "refractory" in err and not (tmp_path / "b.nir").exists()


def test_provenance_says_what_was_done(tmp_path, capsys):
    nir.write(tmp_path / "a.nir", chain(1, ["LIF", "CubaLIF"]))
    arguments = ("import-nir", tmp_path / "a.nir", "-o", tmp_path / "a.net", "--dt", DT)
    result = ok(capsys, *arguments)
    step = load_network(tmp_path / "a.net").provenance[-1]
    assert step["file"] == "a.nir" and len(step["sha256"]) == 64 and step["nir"] == nir.version
    assert step["mapped"]["w_out"] == "Affine: weights and biases"
    assert step["mapped"]["z"] == "LI: readouts"
    assert [p["node"] for p in step["populations"]] == ["a", "b"]
    assert len(step["approximated"]) == 3  # the reset, v_reset, clock neurons
    for key in ("dt", "delay", "lead", "populations", "approximated", "sha256", "reset_from"):
        assert result[key] == step[key]
    assert result["neurons"] == 13 + step["clock_neurons"]


def test_one_value_for_a_layer(tmp_path):
    """A layer with one value takes the size of its input."""
    one = nir.LIF(*(np.array([v]) for v in (0.01, 1.0, 0.0, 1.0)))
    nir.write(tmp_path / "a.nir", graph(affine(5, 2, np.random.default_rng(0)), one))
    net = import_nir(tmp_path / "a.nir", dt=DT)
    assert net.neurons == net.readouts == 5 and np.allclose(np.exp(-1 / net.tau_mem), 0.9)
