"""What numbers that a user gives must be, whatever they are for."""

import math
from collections.abc import Mapping

from triodia_hw.errors import TriodiaError

__all__ = ["GREATEST_SEED", "check_finite"]

GREATEST_SEED = (1 << 32) - 1  # the search of time constants (optuna) takes no greater one


def check_finite(values: Mapping[str, object]) -> None:
    """Raise :class:`TriodiaError` naming the first of ``values`` that is NaN or infinite."""
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise TriodiaError(f"{name} must be a finite number, not {value}")
