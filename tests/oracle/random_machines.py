"""Random machines and networks over the whole parameter space of docs/contract.md."""

from random import Random

from tests.oracle.memories import bits_for, gap_width, slots_of

__all__ = ["random_machine"]


def _params(rng):
    """Widths and modes; sizes stay small, so that a machine simulates in a second."""
    lanes = rng.choice([1, 1, 2, 3, 4, 5, 8, 32])
    params = {
        "inputs": rng.choice([1, 2, 3, 7, 16, 17]),
        "neurons": rng.choice([1, 2, 5, 8, 13, 24, 33]),
        "lanes": lanes,
        "weight_bits": rng.randint(2, 16),
        "payload_bits": rng.choice([1, 1, *range(2, 13)]),
        "fraction_bits": rng.randint(0, 10),
        "state_bits": rng.randint(4, 24),
        "leak_bits": rng.randint(1, 16),
        "gap_bits": rng.choice([1, 2, 3, 14]),
        "rows_per_pointer": rng.choice([1, 2, 4, 8]),
        "synaptic": rng.random() < 0.5,
        "reset": rng.choice(["subtract", "value"]),
        "fires": rng.choice(["at", "above"]),
        "adaptive": rng.random() < 0.4,
        "delays": sorted(rng.sample(range(1, 64), rng.choice([0, 0, 0, 1, 2, 3, 7]))),
    }
    if rng.random() < 0.5:  # some short ones
        params["delays"] = params["delays"] and [1, *(d for d in params["delays"] if d > 1)]
    state = params["state_bits"]
    params["bias_bits"] = rng.choice([0, rng.randint(1, state)])
    params["refractory_bits"] = rng.choice([0, rng.randint(1, min(8, state - 1))])
    return params


def _rows(rng, params):
    """(row_start, target, weight): some rows empty, some full, weights at their limits too."""
    top = (1 << (params["weight_bits"] - 1)) - 1
    start, target, weight = [0], [], []
    for _ in range((1 + len(params["delays"])) * (params["inputs"] + params["neurons"])):
        density = rng.choice([0, 0.1, 0.4, 1])
        row = [n for n in range(params["neurons"]) if rng.random() < density]
        target += row
        weight += [rng.choice([-top - 1, top, rng.randint(1, top), -1]) for _ in row]
        start.append(len(target))
    return start, target, weight


def _repeated(rng, params, rows):
    """`rows` in which each row is one of three, moved along the neurons as far as it goes."""
    start, target, weight = rows
    spans = [slice(start[k], start[k + 1]) for k in range(min(3, len(start) - 1))]
    kernels = [list(zip(target[span], weight[span], strict=True)) for span in spans]
    moved, count = ([0], [], []), params["neurons"]
    for _ in start[1:]:
        by, kernel = rng.randint(-count // 3, count // 3), rng.choice(kernels)
        kept = [(n + by, w) for n, w in kernel if 0 <= n + by < count]
        moved[1].extend(n for n, _ in kept)
        moved[2].extend(w for _, w in kept)
        moved[0].append(len(moved[1]))
    return moved


def _cells(rng, params):
    """Arrays of the neurons; limits are drawn as often as what lies between."""
    count, state, leak = params["neurons"], params["state_bits"], 1 << params["leak_bits"]
    top = (1 << (state - 1)) - 1

    def signed(bits):
        half = 1 << bits >> 1
        return rng.choice([-half, max(half - 1, 0), 0, rng.randint(-half, max(half - 1, 0))])

    roles = [rng.choice(["spiking", "spiking", "readout", "none"]) for _ in range(count)]
    longest = (1 << params["refractory_bits"]) - 1
    factors = [0, leak, leak - 1, rng.randint(0, leak)]
    adaptation = {
        "rho": [rng.choice(factors) for _ in roles],
        "jump": [rng.choice([0, top, rng.randint(0, min(top, 200))]) for _ in roles],
    }
    return (adaptation if params["adaptive"] else {}) | {
        "threshold": [rng.choice([1, top, rng.randint(1, min(top, 200))]) for _ in roles],
        "beta": [rng.choice(factors) for _ in roles],
        "alpha": [rng.choice(factors) if params["synaptic"] else 0 for _ in roles],
        "reset_value": [signed(state) if params["reset"] == "value" else 0 for _ in roles],
        "refractory": [rng.choice([0, longest, rng.randint(0, longest)]) for _ in roles],
        "bias": [signed(params["bias_bits"]) for _ in roles],
        "spiking": [int(role == "spiking") for role in roles],
        "readout": [int(role == "readout") for role in roles],
    }


def _sum_bits(params, arrays):
    """Signed bits that hold the worst sum of any neuron."""
    graded = params["payload_bits"] > 1
    spike = 1 << params["fraction_bits"]
    worst = [0] * params["neurons"]
    sources = params["inputs"] + params["neurons"]
    for source in range((1 + len(params["delays"])) * sources):
        graded_input = graded and source % sources < params["inputs"]
        greatest = 1 << (params["payload_bits"] - 1) if graded_input else spike
        for k in range(arrays["row_start"][source], arrays["row_start"][source + 1]):
            worst[arrays["target"][k]] += abs(arrays["weight"][k]) * greatest
    return max(worst).bit_length() + 1


def _words(params, arrays):
    """(longest segment, most synapse words) of a PE, fillers included."""
    slots, reach = slots_of(params), 1 << gap_width(params)
    longest, total = 1, [0] * params["lanes"]
    for first, end in zip(arrays["row_start"], arrays["row_start"][1:], strict=False):
        for pe in range(params["lanes"]):
            targets = (arrays["slot"][n] for n in arrays["target"][first:end])
            local, words = -1, 0
            for slot in sorted(s % slots for s in targets if s // slots == pe):
                words += (slot - local - 1) // reach + 1
                local = slot
            longest, total[pe] = max(longest, words), total[pe] + words
    return longest, max(total)


def random_machine(seed):
    """(params, arrays) of a random machine; the same seed gives the same machine."""
    rng = Random(seed)
    params = _params(rng)
    rows, sharing = _rows(rng, params), Random(f"shared rows {seed}")  # the others stay as they are
    if sharing.random() < 0.25:
        params |= {"shared_rows": True, "rows_per_pointer": 1}
        rows = _repeated(sharing, params, rows)
    arrays = dict(zip(("row_start", "target", "weight"), rows, strict=True))
    slots = list(range(params["lanes"] * slots_of(params)))
    rng.shuffle(slots)
    arrays |= {"slot": slots[: params["neurons"]]} | _cells(rng, params)
    params["accumulator_bits"] = rng.choice([max(2, _sum_bits(params, arrays)), 40])
    longest, words = _words(params, arrays)
    params["row_words"] = rng.choice([longest, 16384])
    params["synapse_words"] = rng.choice([max(words, 1), 512 + words, 1 << bits_for(words + 1)])
    return params, arrays
