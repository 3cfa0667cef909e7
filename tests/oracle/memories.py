"""Memory words and load bytes, read from docs/contract.md alone.

A network of the oracle is (rows, cells): `rows[row]` lists (slot, weight) for each row number of
the machine, `cells[slot]` holds a neuron's fields as a dict.
"""

__all__ = ["Memories", "bits_for", "empty_cell", "rows_of", "slots_of", "sources_of"]

CELL = ("threshold", "beta", "alpha", "rho", "jump", "reset_value", "refractory", "bias")
CELL += ("spiking", "readout")


def bits_for(count):
    """⌈log2 count⌉, at least 1."""
    return max(1, (count - 1).bit_length())


def slots_of(params):
    """Slots of each PE."""
    return -(-params["neurons"] // params["lanes"])


def sources_of(params):
    """Source numbers on the wire."""
    return params["inputs"] + params["lanes"] * slots_of(params)


def rows_of(params):
    """Rows of synapses: of each source without delay, then after each delay."""
    return (1 + len(params.get("delays", []))) * sources_of(params)


def empty_cell():
    """The fields of a slot without a neuron."""
    return dict.fromkeys(CELL, 0)


def signed(value, width):
    """The two's complement value of `width` bits."""
    return value - (1 << width) if value >> (width - 1) else value


def gap_width(params):
    return min(params["gap_bits"], bits_for(slots_of(params)))


def layouts(params):
    """Fields (name, width, signed) of the words of memories 0, 1 and 2, lowest bits first."""
    length = bits_for(min(params["row_words"], slots_of(params)) + 1)
    rows = [(f"length_{k}", length, False) for k in range(params["rows_per_pointer"])]
    pointer = [("start", bits_for(params["synapse_words"]), False), *rows]
    if params.get("shared_rows"):
        pointer.append(("base", bits_for(slots_of(params)), False))
    synapse = [("weight", params["weight_bits"], True), ("gap", gap_width(params), False)]
    state, leak = params["state_bits"], params["leak_bits"] + 1
    cell = [("threshold", state, True), ("beta", leak, False)]
    if params["synaptic"]:
        cell.append(("alpha", leak, False))
    if params.get("adaptive"):
        cell += [("rho", leak, False), ("jump", state - 1, False)]
    if params["reset"] == "value":
        cell.append(("reset_value", state, True))
    if params["refractory_bits"]:
        cell.append(("refractory", params["refractory_bits"], False))
    if params["bias_bits"]:
        cell.append(("bias", params["bias_bits"], True))
    cell += [("spiking", 1, False), ("readout", 1, False)]
    return pointer, synapse, cell


def unpack(word, layout):
    fields = {}
    for name, width, is_signed in layout:
        value = word & ((1 << width) - 1)
        fields[name] = signed(value, width) if is_signed else value
        word >>= width
    return fields


class Memories:
    """The content memories of every PE: written by load bytes, decoded into a network.

    `words[pe][memory]` maps an address to its word; an address never written reads 0.
    """

    def __init__(self, params):
        self.params = params
        self.words = [({}, {}, {}) for _ in range(params["lanes"])]

    def load(self, data):
        """Apply the bytes of one load; a block cut short writes its complete words only."""
        widths = [sum(width for _, width, _ in layout) for layout in layouts(self.params)]
        at = 0
        while at + 6 <= len(data):
            pe, memory = data[at], data[at + 1]
            address, count = (data[at + k] + 256 * data[at + k + 1] for k in (2, 4))
            at += 6
            size = -(-widths[memory] // 8)
            for k in range(count):
                raw = data[at : at + size]
                at += size
                if len(raw) == size and pe < self.params["lanes"]:
                    word = int.from_bytes(raw, "little") & ((1 << widths[memory]) - 1)
                    self.words[pe][memory][address + k] = word

    def network(self):
        """Decode all words: (rows, cells)."""
        slots = slots_of(self.params)
        rows = [
            [(pe * slots + target, weight) for pe in range(len(self.words))
             for target, weight in self.segment(pe, row)]
            for row in range(rows_of(self.params))
        ]  # fmt: skip
        layout = layouts(self.params)[2]
        cells = [
            empty_cell() | unpack(words[2].get(slot, 0), layout)
            for words in self.words
            for slot in range(slots)
        ]
        return rows, cells

    def segment(self, pe, row):
        """Targets of a row in one PE: (slot of the PE, weight), fillers left out."""
        per = self.params["rows_per_pointer"]
        pointer, synapse, _ = layouts(self.params)
        fields = unpack(self.words[pe][0].get(row // per, 0), pointer)
        at = fields["start"] + sum(fields[f"length_{k}"] for k in range(row % per))
        target, found = fields.get("base", -1), []
        reach = 1 << bits_for(slots_of(self.params))
        for k in range(fields[f"length_{row % per}"]):
            word = unpack(self.words[pe][1].get(at + k, 0), synapse)
            target = (target + word["gap"] + 1) % reach
            if word["weight"]:
                found.append((target, word["weight"]))
        return found
