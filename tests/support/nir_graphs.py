"""Random NIR graphs, and a node-by-node simulation that is independent of the import."""

import nir
import numpy as np

DT = 1e-3
SPIKING = (nir.LIF, nir.CubaLIF, nir.IF)
NEURONS = (*SPIKING, nir.LI, nir.CubaLI, nir.I)


def decay(tau, dt, rule):
    return 1 - dt / tau if rule == "euler" else np.exp(-dt / tau)


class Cell:
    """One neuron node by the equations of NIR's documentation, with S constant over a step."""

    def __init__(self, node, dt, rule, reset):
        self.node, self.dt, self.rule, self.reset = node, dt, rule, reset
        self.v = np.zeros(np.shape(node.r)) + getattr(node, "v_reset", 0.0)  # as the docs say
        self.i = np.zeros(np.shape(node.r))
        self.fired = np.zeros(np.shape(node.r))

    def step(self, s):
        """Output for the input ``s``: spikes, or the potential of a node that never spikes."""
        n = self.node
        if isinstance(n, (nir.IF, nir.I)):  # v' = R S
            self.v = self.v + self.dt * n.r * s
        else:
            if isinstance(n, (nir.CubaLIF, nir.CubaLI)):  # tau_syn I' = -I + w_in S
                alpha = decay(n.tau_syn, self.dt, self.rule)
                self.i = s = alpha * self.i + (1 - alpha) * (n.w_in * s)
            tau = n.tau_mem if hasattr(n, "tau_mem") else n.tau
            beta = decay(tau, self.dt, self.rule)  # tau v' = (v_leak - v) + R I
            self.v = beta * self.v + (1 - beta) * (n.v_leak + n.r * s)
        if not isinstance(n, SPIKING):
            return self.v
        if self.reset == "subtract-late":  # by the spike of the step before, after the leak
            self.v = self.v - n.v_threshold * self.fired
        if self.reset == "zero-late":
            self.v = np.where(self.fired > 0, n.v_reset, self.v)
        z = (self.v > n.v_threshold).astype(float)
        if self.reset == "zero":
            self.v = np.where(z > 0, n.v_reset, self.v)
        if self.reset == "subtract":
            self.v = self.v - z * n.v_threshold
        self.fired = z
        return z


def simulate(graph, x, *, dt=DT, rule="euler", reset="zero", timing="layered"):
    """Values of every node in every step, ``{name: (steps, size)}``.

    Layered: nodes in turn, a spike that returns to its own neurons coming a step later; pipelined:
    every spike does.
    """
    nodes, edges = graph.nodes, list(dict.fromkeys(graph.edges))
    spikes = [e for e in edges if isinstance(nodes[e[0]], SPIKING)]
    late = {e for e in spikes if timing == "pipelined" or e[0] in reached(e[1], edges)}
    order = ordered(nodes, [e for e in edges if e not in late])
    cells = {k: Cell(n, dt, rule, reset) for k, n in nodes.items() if isinstance(n, NEURONS)}
    now = {k: np.zeros(size_of(nodes, k)) for k in nodes}
    trace = {k: [] for k in nodes}
    for row in x:
        before, now = now, {}
        for k in order:
            node = nodes[k]
            s = sum((before if (a, b) in late else now)[a] for a, b in edges if b == k)
            if isinstance(node, nir.Input):
                s = row
            elif isinstance(node, (nir.Affine, nir.Linear)):
                s = node.weight @ s + getattr(node, "bias", 0)
            elif isinstance(node, nir.Scale):
                s = node.scale * s
            elif k in cells:
                s = cells[k].step(s)
            now[k] = s
            trace[k].append(s)
    return {k: np.array(v) for k, v in trace.items()}


def size_of(nodes, k):
    node = nodes[k]
    if isinstance(node, (nir.Affine, nir.Linear)):
        return node.weight.shape[0]
    return int(np.prod(next(iter(node.output_type.values()))))


def reached(k, edges):
    """Nodes reachable from ``k``, including ``k``."""
    found = {k}
    for _ in edges:
        found |= {b for a, b in edges if a in found}
    return found


def ordered(nodes, edges):
    """Nodes in topological order."""
    order = []
    while len(order) < len(nodes):
        left = [k for k in nodes if k not in order]
        order += [k for k in left if {a for a, b in edges if b == k} <= {*order}]
    return order


def neurons(kind, n, rng, *, shift=True, dt=DT):
    """``n`` random neurons: heterogeneous in everything NIR lets differ."""
    r, tau = rng.uniform(8, 16, n), dt * rng.uniform(2, 20, n)
    low = rng.uniform(-0.5, 0.3, n) if shift else np.zeros(n)
    firing = {"v_threshold": rng.uniform(0.5, 1.5, n), "v_reset": low}
    leak = rng.uniform(-0.2, 0.2, n)
    if kind == "IF":
        return nir.IF(r=r * 100, **firing)
    if kind == "LIF":
        return nir.LIF(tau=tau, r=r, v_leak=leak, **firing)
    syn = {"tau_syn": dt * rng.uniform(1.5, 8, n), "w_in": rng.uniform(1, 2, n)}
    if kind == "CubaLI":
        return nir.CubaLI(tau_mem=tau, r=r, v_leak=leak, **syn)
    if kind == "I":
        return nir.I(r=r * 40)
    if kind == "LI":
        return nir.LI(tau=tau, r=r, v_leak=leak)
    return nir.CubaLIF(tau_mem=tau, r=r, v_leak=leak, **firing, **syn)


def affine(rows, columns, rng, gain=2.0, bias=True):
    w = rng.normal(0, gain / np.sqrt(columns), (rows, columns))
    return nir.Affine(w, rng.normal(0, 0.1, rows)) if bias else nir.Linear(w)


def chain(seed, kinds, *, sizes=(7, 6, 5), inputs=3, recurrent=True, readout="LI", **options):
    """``Input -> Affine -> population a -> Affine -> b ... -> readout -> Output``."""
    rng = np.random.default_rng(seed)
    nodes, edges, last, width = {"input": nir.Input(np.array([inputs]))}, [], "input", inputs
    for name, kind, size in zip("abc", kinds, sizes, strict=False):
        nodes[f"w_{name}"] = affine(size, width, rng, 2.0 if last == "input" else 4.0)
        nodes[name] = neurons(kind, size, rng, **options)
        edges += [(last, f"w_{name}"), (f"w_{name}", name)]
        if recurrent:
            nodes[f"r_{name}"] = affine(size, size, rng, 1.0)
            edges += [(name, f"r_{name}"), (f"r_{name}", name)]
        last, width = name, size
    if readout != "spikes":
        nodes["w_out"] = affine(2, width, rng)
        edges.append((last, "w_out"))
        last, width = "w_out", 2
    if readout in ("LI", "CubaLI", "I"):
        nodes["z"] = neurons(readout, 2, rng)
        edges.append((last, "z"))
        last = "z"
    nodes["output"] = nir.Output(np.array([width]))
    edges.append((last, "output"))
    return nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
