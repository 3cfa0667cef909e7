"""The trainable network for a training loop of your own; ``docs/training.md`` has an example.

``SpikingModel`` is a ``torch.nn.Module``: take any loss, optimiser and data loader, then
``model.network()`` and :func:`save_network` for ``triodia quantize``.
"""

from ..network.files import load_network, save_network
from ..network.network import Network
from ..network.random import new_network
from ..train.attach import attach
from ..train.measure import evaluate
from ..train.model import SpikingModel
from ..train.settings import Settings
from ..train.state import State, Trace
from ..train.surrogate import spike
from .snntorch import from_snntorch
from .task import with_inputs

__all__ = [
    "Network",
    "Settings",
    "SpikingModel",
    "State",
    "Trace",
    "attach",
    "evaluate",
    "from_snntorch",
    "load_network",
    "new_network",
    "save_network",
    "spike",
    "with_inputs",
]
