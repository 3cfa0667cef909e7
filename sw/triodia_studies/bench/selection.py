"""How many synapses step I keeps otherwise where it computes fast, and with another noise.

``python -m triodia_studies.bench.selection --neurons 1000`` prints a JSON line: a random network of
density 0.1; the spectrum in float64 with 200 steps after 50, as up to 600 neurons; the fast one as
beyond; and the first with another seed of the driving noise. All else is the same, seed 0. It takes
about a minute of CPU time at 1,000 neurons.
"""

import argparse
import json

import numpy as np

from triodia.network.network import Network
from triodia.network.random import new_network
from triodia.prune.covariance import stationary_covariance
from triodia.prune.sampling import keep_probabilities, sample
from triodia.prune.spectrum import Spectrum, network_spectrum
from triodia.prune.step1 import (
    NoiseOptions,
    edge_matrix,
    noise_score,
    spectrum_steps,
    stable_system,
)

__all__ = ["main", "row"]

_KEEP = (0.5, 0.1)


def _kept(net: Network, found: Spectrum) -> list[np.ndarray]:
    """Which synapses stay, for each share."""
    size, options = np.abs(found.of_coordinates()), NoiseOptions()
    coupling = edge_matrix(net, np.maximum(size, options.floor * np.median(size)))
    a, _ = stable_system(coupling, 1 / net.tau_mem.astype(np.float64), options.margin)
    score = noise_score(a, stationary_covariance(a))[net.mask_rec]
    draw = [(keep_probabilities(score, keep), np.random.default_rng([0, 3])) for keep in _KEEP]
    return [sample(*part) for part in draw]


def row(neurons: int) -> dict:
    """Share of the kept synapses that change, for each share kept."""
    net = new_network(neurons, 0, density=0.1)
    exact, noise = (network_spectrum(net, seed=k, fast=False) for k in (0, 1))
    fast = network_spectrum(net, seed=0, fast=True, steps=spectrum_steps(neurons))
    first = _kept(net, exact)
    found = {"neurons": neurons, "synapses": net.synapses, "kept": [int(k.sum()) for k in first]}
    for name, other in (("fast", fast), ("other_noise", noise)):
        pairs = zip(first, _kept(net, other), strict=True)
        found[f"{name}_changed"] = [int((a & ~b).sum()) for a, b in pairs]
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, nargs="*", default=[1000])
    for neurons in parser.parse_args().neurons:
        print(json.dumps(row(neurons)), flush=True)


if __name__ == "__main__":
    main()
