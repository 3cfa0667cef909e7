"""Imported networks follow NIR's equations step by step, a known number of steps later."""

from dataclasses import replace

import nir
import numpy as np
import pytest
import torch

from tests.support.nir_graphs import DT, affine, chain, neurons, simulate
from tests.support.parts import array
from triodia.nir.graph import flat_graph
from triodia.nir.importer import network_of
from triodia.nir.settings import find_choices
from triodia.train.model import SpikingModel
from triodia_hw.errors import TriodiaError

STEPS = 40


def imported(graph, **options):
    flat = flat_graph(graph)
    return network_of(flat, find_choices(flat, dt=options.pop("dt", DT), **options))


def run(net, x, extra=0):
    """Spikes ``(steps, N)`` and readouts ``(steps, O)`` of our model, ``extra`` silent steps on."""
    padded = np.pad(np.asarray(x, np.float32), ((0, extra), (0, 0)))[None]
    trace = SpikingModel(net)(torch.tensor(net.scale_input(padded)), torch.tensor([len(padded[0])]))
    return trace.spikes[0].detach().numpy(), trace.v_out[0].detach().numpy()


def agree(graph, seed, *, reset="zero", rule="euler", timing="layered", inputs=3):
    """Assert that every spike and readout of ``graph`` appears with the import's delay."""
    x = np.random.default_rng([seed, 1]).normal(0, 0.8, (STEPS, inputs)).clip(-4, 4)
    x = x.astype(np.float32)
    want = simulate(graph, x, rule=rule, reset=reset, timing=timing)
    net = imported(graph, discretization=rule, reset=reset, timing=timing)
    step = net.provenance[-1]
    lead = np.zeros((step["lead"], inputs))
    spikes, v_out = run(net, np.concatenate([lead, x]), step["delay"] - step["lead"])
    for place in step["populations"]:
        late, first = place["steps_behind"], place["first"]
        got = spikes[late : late + STEPS, first : first + place["neurons"]]
        assert np.array_equal(got, want[place["node"]]), place
        assert got.any() and got.mean() < 0.9, place
    assert spikes[:, : net.neurons - step["clock_neurons"]].mean() > 0.02
    late = step["delay"]
    assert np.allclose(v_out[late : late + STEPS], want["output"], rtol=1e-4, atol=1e-4)
    assert not v_out[:late].any()
    return net


@pytest.mark.parametrize("reset", ["zero", "subtract", "zero-late"])
@pytest.mark.parametrize("rule", ["euler", "exponential"])
@pytest.mark.parametrize("kind", ["LIF", "CubaLIF", "IF"])
def test_one_recurrent_population(kind, rule, reset):
    for seed in range(3):
        net = agree(chain(seed, [kind], shift="zero" in reset), seed, reset=reset, rule=rule)
        step, lead = net.provenance[-1], kind == "CubaLIF"  # whose biases enter a current
        assert (step["lead"], step["delay"]) == (lead, lead + 1)
        # A clock neuron for the biases of the readout; two where v_leak begins a step late.
        assert net.neurons - 7 == step["clock_neurons"] == lead + 1


@pytest.mark.parametrize("rule", ["euler", "exponential"])
@pytest.mark.parametrize("kinds", [["LIF", "LIF", "LIF"], ["CubaLIF", "LIF", "IF"]])
def test_layers_run_a_step_behind_each_other(kinds, rule):
    for seed in range(3):
        step = agree(chain(seed, kinds), seed, rule=rule).provenance[-1]
        lead = kinds[0] == "CubaLIF"
        behind = [p["steps_behind"] for p in step["populations"]]
        assert behind == [lead, lead + 1, lead + 2]
        assert step["delay"] == step["clock_neurons"] == lead + 3


def test_late_subtraction():
    for seed in range(4):
        agree(chain(seed, ["LIF", "IF"], shift=False), seed, reset="subtract-late")
        agree(chain(seed, ["CubaLIF", "LIF"], shift=False), seed, reset="subtract-late")


@pytest.mark.parametrize("readout", ["LI", "CubaLI", "I", "linear", "spikes"])
def test_readouts(readout):
    for seed in range(3):
        agree(chain(seed, ["LIF"], readout=readout), seed)
        agree(chain(seed, ["CubaLIF", "LIF"], readout=readout, recurrent=False), seed)


def crossed(seed):
    """Input into two populations that feed each other, one skipping to the readout."""
    rng = np.random.default_rng(seed)
    nodes = {"input": nir.Input(np.array([3])), "output": nir.Output(np.array([2]))}
    nodes |= {"a": neurons("LIF", 5, rng), "b": neurons("CubaLIF", 4, rng)}
    nodes |= {"ia": affine(5, 3, rng), "ib": affine(4, 3, rng), "ab": affine(4, 5, rng)}
    nodes |= {"ba": affine(5, 4, rng), "ao": affine(2, 5, rng), "bo": affine(2, 4, rng)}
    nodes["z"] = neurons("LI", 2, rng)
    edges = [("input", "ia"), ("ia", "a"), ("input", "ib"), ("ib", "b"), ("a", "ab"), ("ab", "b")]
    edges += [("b", "ba"), ("ba", "a"), ("a", "ao"), ("ao", "z"), ("b", "bo"), ("bo", "z")]
    return nir.NIRGraph(nodes=nodes, edges=[*edges, ("z", "output")], type_check=False)


def test_any_graph_with_a_step_for_each_connection():
    for seed in range(4):
        step = agree(crossed(seed), seed, timing="pipelined").provenance[-1]
        assert step["lead"] == step["delay"] == 1  # for the biases into currents
        net = agree(chain(seed, ["LIF", "LIF", "IF"]), seed, timing="pipelined")
        step = net.provenance[-1]
        assert step["lead"] == step["delay"] == step["clock_neurons"] == 0
    with pytest.raises(TriodiaError, match="'a', 'b' feed each other in a loop; --timing pipel"):
        imported(crossed(0))


def test_the_comparison_can_fail():
    """A decay or reset by another rule is noticed."""
    graph = chain(0, ["LIF"], shift=False)
    x = np.random.default_rng(1).normal(0, 0.8, (STEPS, 3)).astype(np.float32)
    want = simulate(graph, x)["a"]
    for options in ({"discretization": "exponential"}, {"reset": "subtract"}, {"dt": 1.2 * DT}):
        spikes, _ = run(imported(graph, **options), x)
        assert not np.array_equal(spikes[:, :7], want), options
    net = imported(graph)
    assert np.array_equal(run(net, x)[0][:, :7], want)
    assert not np.array_equal(run(replace(net, bias=net.bias + 0.05), x)[0][:, :7], want)


def test_exceeding_a_threshold_is_not_reaching_it():
    """Two inputs of 1/2 reach a threshold of 1 exactly: NIR does not spike, and so do we not."""
    one = np.array([1.0])
    neuron = nir.IF(r=one, v_threshold=one, v_reset=0 * one)
    graph = nir.NIRGraph.from_list(nir.Linear(np.array([[0.5]])), neuron)
    net = imported(graph, dt=1.0)
    spikes, _ = run(net, np.ones((7, 1)))
    assert spikes[:, 0].tolist() == [0, 0, 1, 0, 0, 1, 0]
    assert net.fires == "above" and net.threshold[0] == 1


def test_linear_nodes_are_multiplied_out():
    rng = np.random.default_rng(0)
    first, second = affine(4, 6, rng), affine(5, 4, rng)
    scale, cells = rng.uniform(1, 2, 5), neurons("LIF", 5, rng, shift=False)
    nodes = [nir.Input(np.array([2, 3])), nir.Flatten({"input": np.array([2, 3])}, 0, -1)]
    nodes += [first, second, nir.Scale(scale), cells, nir.Output(np.array([5]))]
    net = imported(nir.NIRGraph.from_list(*nodes))
    gain = DT / cells.tau * cells.r * scale
    assert np.allclose(net.head.w_in, gain[:, None] * (second.weight @ first.weight), rtol=1e-6)
    bias = gain * (second.weight @ first.bias + second.bias) + DT / cells.tau * cells.v_leak
    assert np.allclose(net.bias, bias, rtol=1e-5)
    assert np.array_equal(net.head.w_out, np.eye(5)) and net.inputs == 6


@pytest.mark.parametrize("w_rec_first", [False, True])
def test_subgraphs(w_rec_first):
    """norse and snnTorch put a recurrent population into a graph of its own."""
    graph = chain(3, ["LIF"])
    inner = {"input": nir.Input(np.array([7])), "output": nir.Output(np.array([7]))}
    inner |= {"lif": graph.nodes["a"], "w_rec": graph.nodes["r_a"]}
    edges = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    sub = nir.NIRGraph(nodes=inner, edges=edges[::-1] if w_rec_first else edges)
    nodes = {k: n for k, n in graph.nodes.items() if k != "r_a"} | {"a": sub}
    outer = [e for e in graph.edges if "r_a" not in e]
    nested = imported(nir.NIRGraph(nodes=nodes, edges=outer, type_check=False))
    flat = imported(graph)
    for name in ("w_in", "w_rec", "w_out", "bias", "threshold", "tau_mem"):
        assert np.array_equal(array(nested, name), array(flat, name)), name
    assert nested.provenance[-1]["populations"][0]["node"] == "a.lif"


def test_input_range():
    """Inputs beyond 4 need --input-max; weights make up for it, exactly for powers of 2."""
    graph = chain(5, ["LIF"], shift=False)
    flat = flat_graph(graph)
    net = network_of(flat, find_choices(flat, dt=DT), input_max=16.0)
    assert np.array_equal(net.head.w_in, 4 * imported(graph).head.w_in)
    x = np.random.default_rng(1).normal(0, 4, (STEPS, 3)).clip(-15, 15).astype(np.float32)
    want = simulate(graph, x)["a"]
    assert np.array_equal(run(net, x)[0][:, :7], want)
    assert not np.array_equal(run(imported(graph), x)[0][:, :7], want)  # clipped
