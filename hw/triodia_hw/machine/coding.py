"""Input coding: how a real value of a sample becomes the payload of an input event."""

from dataclasses import dataclass

import numpy as np

from ..errors import ContractError
from .events import EventList
from .params import MachineParams

__all__ = ["InputCoding"]

Events = list[tuple[int, int]]  # (channel, payload) of one time step


@dataclass(frozen=True, kw_only=True, eq=False)
class InputCoding:
    """Standardise, clip and round the inputs of a network.

    A value ``x`` of channel ``i`` becomes ``z = clip((x - mean_i) / std_i, -clip, clip)``. Its
    payload is ``round(z * 2**fraction_bits)``, saturated to the range of a payload.

    Parameters
    ----------
    mean, std : ``(inputs,)`` float64 in the units of the samples; ``std`` above 0.
    clip : above 0, in standard deviations.
    tail : steps without input after each sample, at least 0, in which the answer arrives.

    Raises
    ------
    ContractError
        If shapes differ or a value is out of range.
    """

    mean: np.ndarray
    std: np.ndarray
    clip: float
    tail: int = 0

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            values = np.array(getattr(self, name), np.float64)
            if values.ndim != 1 or not values.size:
                raise ContractError(f"input {name} must be a list of numbers, not {values.shape}")
            if not np.all(np.isfinite(values)):
                raise ContractError(f"input {name} must be finite everywhere")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if self.mean.shape != self.std.shape:
            raise ContractError(
                f"input mean and std must have one value per channel each, not {self.mean.size} "
                f"and {self.std.size}"
            )
        if np.any(self.std <= 0):
            raise ContractError(f"input std must be above 0 everywhere, not {self.std.min()}")
        if not 0 < self.clip < np.inf:
            raise ContractError(f"input clip must be above 0, not {self.clip!r}")
        if not isinstance(self.tail, int) or self.tail < 0:
            raise ContractError(f"input tail must be 0 or more steps, not {self.tail!r}")

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return self.mean.size

    def standardise(self, x: np.ndarray) -> np.ndarray:
        """``(x - mean) / std`` of ``(..., inputs)`` in the precision of ``x``, not clipped."""
        x = np.asarray(x)
        return (x - self.mean.astype(x.dtype)) / self.std.astype(x.dtype)

    def scale(self, x: np.ndarray) -> np.ndarray:
        """Standardise ``(..., inputs)``, then clip; float32, as training sees its inputs."""
        z = self.standardise(np.asarray(x, np.float32))
        return np.clip(z, -self.clip, self.clip).astype(np.float32)

    def payloads(self, p: MachineParams, x: np.ndarray) -> np.ndarray:
        """Integer payloads of ``(..., inputs)`` for a machine of ``p``."""
        z = np.clip(self.standardise(np.asarray(x, np.float64)), -self.clip, self.clip)
        high = p.greatest_payload - 1
        return np.clip(np.rint(z * p.one), -high - 1, high).astype(int)

    def events(self, p: MachineParams, sample: np.ndarray) -> list[Events]:
        """Events of each time step of a sample ``(steps, inputs)``, and of the ``tail``.

        Payload 0 is not sent.
        """
        return self.event_list(p, sample).lists()

    def event_list(self, p: MachineParams, sample: np.ndarray) -> EventList:
        """The same as arrays."""
        payloads = self.payloads(p, sample)
        return EventList.of_payloads(np.pad(payloads, ((0, self.tail), (0, 0))))
