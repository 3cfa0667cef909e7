"""A generated task that needs memory: add a symbol shown earlier to the current one."""

import numpy as np

from .samples import TaskData, from_parts

__all__ = ["delayed_sum", "load_delayed_sum"]


def delayed_sum(
    samples: int, seed: int, *, symbols: int = 4, delay: int = 12, noise: float = 0.3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples ``(K, 12 + delay, symbols)``, their lengths, and classes ``(a + b) mod symbols``.

    Symbol ``a`` is shown on its channel in steps 2-4, ``b`` in steps ``delay + 5`` to
    ``delay + 7``, and four steps remain to answer. All channels and steps carry Gaussian ``noise``.
    Neither symbol alone determines the class, so the network must hold ``a`` for ``delay`` steps
    and combine it with ``b``, a nonlinear operation.
    """
    rng = np.random.default_rng([seed, 18])
    a, b = rng.integers(symbols, size=(2, samples))
    steps, rows = 12 + delay, np.arange(samples)
    x = noise * rng.standard_normal((samples, steps, symbols))
    for shown, first in ((a, 2), (b, delay + 5)):
        for step in range(first, first + 3):
            x[rows, step, shown] += 1
    return x.astype(np.float32), np.full(samples, steps, np.int64), (a + b) % symbols


def load_delayed_sum(delay: int = 12) -> TaskData:
    """2,000 training and 1,000 test samples of ``delayed_sum``; the same on every call."""
    return from_parts(delayed_sum(2000, 0, delay=delay), delayed_sum(1000, 1, delay=delay))
