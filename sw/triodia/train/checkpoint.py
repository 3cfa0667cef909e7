"""Checkpoints: an interrupted training goes on where it stopped, with the same result."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import torch

from triodia_hw.errors import TriodiaError

from ..network.network import Network
from ..tasks.events import sample_arrays
from ..tasks.samples import TaskData

__all__ = ["Checkpoint", "fingerprint"]


def fingerprint(net: Network, data: TaskData, *choices: object) -> str:
    """Digest of all that decides a training: network, samples, and JSON values such as settings."""
    digest = hashlib.sha256(json.dumps(choices, sort_keys=True).encode())
    arrays = [getattr(net, name) for name in ("w_rec", "mask_rec", "tau_mem", "bias")]
    arrays += [*sample_arrays(data.x_train), data.len_train, data.y_train]
    arrays += [net.tau_adapt, net.jump] if net.adaptive else []
    arrays += [net.delay_rec] if net.delay_rec is not None else []
    if net.head is not None:
        arrays += [net.head.w_in, net.head.w_out]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class Checkpoint:
    """The file of a training's state; ``path`` None keeps nothing."""

    def __init__(self, path: Path | None, owner: str) -> None:
        self.path, self.owner = path, owner

    def load(self) -> dict | None:
        """The state that was saved, or None if there is none.

        Raises
        ------
        TriodiaError
            If the file is damaged, or belongs to another training.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            found = torch.load(self.path, weights_only=True)
            owner, state = found["owner"], found["state"]
        except Exception as error:  # torch has many
            raise TriodiaError(
                f"{self.path} cannot be read as a checkpoint; delete it to start again."
            ) from error
        if owner != self.owner:
            raise TriodiaError(
                f"{self.path} belongs to another training (other network, samples, settings or"
                " seed); delete it to start again."
            )
        return state

    def save(self, state: dict) -> None:
        """Replace the file at once, so that it is never half-written."""
        if self.path is not None:
            part = self.path.with_name(self.path.name + ".part")
            torch.save({"owner": self.owner, "state": state}, part)
            os.replace(part, self.path)

    def remove(self) -> None:
        """Delete the file: the training is done."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
