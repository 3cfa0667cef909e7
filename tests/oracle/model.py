"""A second integer model of the machine, in plain Python, written from docs/contract.md alone.

Its author had not read the integer reference nor the gateware. It shares no code with either: do
not import `triodia_hw` here, and mend a difference only by the document.
"""

from tests.oracle.memories import Memories, empty_cell, rows_of, slots_of, sources_of

__all__ = ["Model", "classify", "encode", "network_of"]

EVENT, END, LOAD, READ = range(4)
SPIKE, READOUT, STEP_END, COUNT = range(4)


def network_of(params, arrays):
    """(rows, cells) in numbers of the wire, from the arrays of an image."""
    inputs, slot = params["inputs"], arrays["slot"]
    rows = [[] for _ in range(rows_of(params))]
    for row in range(len(arrays["row_start"]) - 1):
        delay, source = divmod(row, inputs + params["neurons"])
        wire = source if source < inputs else inputs + slot[source - inputs]
        here = rows[delay * sources_of(params) + wire]
        for k in range(arrays["row_start"][row], arrays["row_start"][row + 1]):
            here.append((slot[arrays["target"][k]], arrays["weight"][k]))
    cells = [empty_cell() for _ in range(params["lanes"] * slots_of(params))]
    for n, s in enumerate(slot):
        cells[s] |= {name: arrays[name][n] for name in cells[s] if name in arrays}
    return rows, cells


class Model:
    """A machine that takes input words and gives output words, step by step.

    Words are (kind, last, source, value), as in the contract. `groups` collects what each end of
    step and each read of a state word gives: sorted words, the end last. `events` and `operations`
    are the counters once the machine is idle. A machine that takes loads starts from `memories`.
    """

    def __init__(self, params, network, memories=None):
        self.params, self.memories = params, memories or Memories(params)
        self.rows, self.cells = network
        self.events = self.operations = 0
        self.groups, self.loading = [], bytearray()
        self.clear()

    def clear(self):
        """State, sums and spikes under way become 0, as after reset."""
        count = len(self.cells)
        self.v, self.u, self.r, self.b, self.sums = ([0] * count for _ in range(5))
        self.past = [[]]  # (source, payload) that arrived in each step, the present one first

    def take(self, kind, last, source, payload):
        """Take one input word."""
        if kind == EVENT:
            graded = self.params["payload_bits"] > 1
            self.deliver(source, payload if graded else 1 << self.params["fraction_bits"])
        elif kind == END:
            self.end(last)
        elif kind == LOAD:
            self.loading.append(source & 255)
            if last:
                self.load()
        else:
            self.read(source & (7 if self.params.get("adaptive") else 3))

    def deliver(self, source, payload):
        """An event meets its synapses without delay, and may wait for those with one."""
        self.past[0].append((source, payload))
        self.arrive(source, payload)

    def arrive(self, row, payload):
        """An event meets every synapse of a row."""
        self.events += 1
        for slot, weight in self.rows[row]:
            self.operations += 1
            self.sums[slot] += weight * payload

    def end(self, last):
        """Update every neuron, give its words, and send its spikes into the next step."""
        sums, self.sums = self.sums, [0] * len(self.cells)
        words, spikes = [], []
        for slot, cell in enumerate(self.cells):
            source = self.params["inputs"] + slot
            if self.update(slot, cell, sums[slot]):
                words.append((SPIKE, 0, source, 0))
                spikes.append(source)
            if cell["readout"]:
                words.append((READOUT, 0, source, self.v[slot]))
        self.groups.append([*sorted(words), (STEP_END, last, None, 0)])
        if last:
            self.clear()
        else:
            self.past.insert(0, [])
            for source in spikes:
                self.deliver(source, 1 << self.params["fraction_bits"])
            self.repeat()

    def repeat(self):
        """Events of earlier steps arrive again."""
        for k, delay in enumerate(self.params.get("delays", []), 1):
            for source, payload in self.past[delay] if delay < len(self.past) else []:
                self.arrive(k * sources_of(self.params) + source, payload)

    def update(self, slot, cell, total):
        """Update one neuron in place; whether it spikes."""
        current = total
        if self.params["synaptic"]:
            current = self.saturate(self.decay(self.u[slot], cell["alpha"]) + total)
            self.u[slot] = current
        if self.params.get("adaptive"):
            self.b[slot] = self.decay(self.b[slot], cell["rho"])
        if self.r[slot] > 0:
            self.r[slot] -= 1
            return False
        bias = cell["bias"] if self.params["bias_bits"] else 0
        v = self.saturate(self.decay(self.v[slot], cell["beta"]) + current + bias)
        above = self.params.get("fires", "at") == "above"
        level = cell["threshold"] + self.b[slot]
        fires = v > level if above else v >= level
        spike = bool(cell["spiking"]) and fires
        if spike:
            subtract = self.params["reset"] == "subtract"
            v = v - cell["threshold"] if subtract else cell["reset_value"]
            if self.params.get("adaptive"):
                self.b[slot] = self.saturate(self.b[slot] + cell["jump"])
        self.r[slot] = cell["refractory"] if spike and self.params["refractory_bits"] else 0
        self.v[slot] = v
        return spike

    def decay(self, x, c):
        size = abs(x) * c >> self.params["leak_bits"]
        return size if x >= 0 else -size

    def saturate(self, x):
        top = (1 << (self.params["state_bits"] - 1)) - 1
        return max(-top - 1, min(top, x))

    def read(self, which):
        """One readout word for each slot, then an end; 3 asks for the counters instead."""
        if which == 3:
            return
        zeros = [0] * len(self.cells)
        values = {0: self.v, 1: self.u, 2: self.r, 4: self.b}.get(which, zeros)
        first = self.params["inputs"]
        words = [(READOUT, 0, first + slot, value) for slot, value in enumerate(values)]
        self.groups.append([*sorted(words), (STEP_END, 0, None, 0)])

    def load(self):
        """Write the memories; the machine is then as after reset, counters aside."""
        self.memories.load(bytes(self.loading))
        self.loading.clear()
        self.rows, self.cells = self.memories.network()
        self.clear()


def encode(value, mean, std, clip, params):
    """The payload of one value of a channel."""
    z = min(max((value - mean) / std, -clip), clip)
    half = 1 << (params["payload_bits"] - 1)
    return min(max(round(z * (1 << params["fraction_bits"])), -half), half - 1)


def classify(params, arrays, groups):
    """The class of one sequence, from the output groups of its steps."""
    slots = [s for s, readout in zip(arrays["slot"], arrays["readout"], strict=True) if readout]
    sums = [0] * len(slots)
    for words in groups:
        for kind, _, source, value in words:
            if kind == READOUT:
                sums[slots.index(source - params["inputs"])] += value
    return sums.index(max(sums))
