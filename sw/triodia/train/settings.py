"""Options of training, with their ranges."""

from dataclasses import dataclass

from triodia_hw.errors import TriodiaError

from ..network.recurrent import LONGEST
from ..ranges import check_finite

__all__ = ["RULES", "Settings"]

RULES = ("rigl", "deep-r")

_FASTEST = 1e6  # learning rate; Adam's steps would leave float32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of ``train``; the defaults were tuned on folds of JapaneseVowels' training set."""

    epochs: int = 100
    batch: int = 27
    lr: float = 0.02
    recurrent_lr: float = 1.0  # of the recurrent weights, as a part of lr
    target_rate: float = 0.05  # mean spikes a neuron and step the activity term allows
    rate_cost: float = 1.0
    silent_cost: float = 1.0  # pulls neurons up that spike at less than a fifth of the target
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    dropout: float = 0.1  # part of the neurons that is silenced in a sample
    noise: float = 0.5  # std of what is added to standardised inputs, anew each step
    shift: float = 0.3  # the same, constant over the steps of a sample
    warp: float = 0.1  # largest relative change of speed
    average: float = 0.98  # decay of the running mean of the weights, per update
    slope: float = 4.0  # of the surrogate gradient
    input_density: float = 0.25  # part of the neurons that each input reaches
    input_gain: float = 0.5
    input_clip: float = 4.0
    tau_out: float = 8.0
    learn_tau: bool = True
    learn_delays: int = 0  # longest delay that recurrent synapses can learn; 0 learns none
    delay_rate: float = 10.0  # learning rate of delays, in steps, as a multiple of lr
    sparse: str = ""  # rule by which synapses move while training: rigl or deep-r; "" for none
    bias_spread: float = 0.0  # first biases hold neurons at up to this part of their threshold
    validation: float = 0.0  # part of the training samples that is held out to choose the epoch
    weight_bits: int = 0  # weights of so few bits in the end; 0 leaves them as they are
    grid_epochs: float = 0.5  # epochs for that, as a part of the others

    def __post_init__(self) -> None:
        check_finite(vars(self))
        if self.sparse not in ("", *RULES):
            raise TriodiaError(f"`--sparse` must be one of {', '.join(RULES)}; got {self.sparse}.")
        if self.epochs < 1 or self.batch < 1:
            raise TriodiaError("epochs and batch must be 1 or more")
        for name, most in (("lr", _FASTEST), ("target_rate", 1)):
            if not 0 < getattr(self, name) <= most:
                raise TriodiaError(
                    f"{name} must be above 0 and at most {most:g}, got {getattr(self, name):g}."
                )
        if min(self.noise, self.shift, self.rate_cost, self.silent_cost) < 0:
            raise TriodiaError("noise, shift, rate_cost and silent_cost must be 0 or more")
        for name in ("dropout", "warp", "average", "validation"):
            if not 0 <= getattr(self, name) < 1:
                raise TriodiaError(
                    f"{name} must be at least 0 and below 1, got {getattr(self, name):g}."
                )
        if self.weight_bits and not 2 <= self.weight_bits <= 16:
            raise TriodiaError(
                f"weight_bits must be between 2 and 16, or 0 for none; got {self.weight_bits}."
            )
        if not 0 <= self.learn_delays <= LONGEST:
            raise TriodiaError(
                f"learn_delays must be between 0 and {LONGEST} steps; got {self.learn_delays}."
            )
        if self.learn_delays and (self.weight_bits or self.sparse):
            raise TriodiaError(
                "learn_delays goes with neither weight_bits nor sparse; train once more for those."
            )
        if self.grid_epochs <= 0:
            raise TriodiaError(f"grid_epochs must be above 0, got {self.grid_epochs:g}.")
