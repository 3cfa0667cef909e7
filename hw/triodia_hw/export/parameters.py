"""How the top module meets its surroundings: reset and memory style."""

from dataclasses import dataclass, fields
from difflib import get_close_matches

from ..errors import TriodiaError
from .memories import STYLES

__all__ = ["USUAL", "TopParameters", "top_parameters"]

_CHOICES = {"reset_polarity": ("high", "low"), "reset_kind": ("sync", "async")}
_CHOICES["memory_style"] = tuple(STYLES)
# What an interface's own rules leave.
_RULES = {
    "axi-stream": ({"reset_polarity": "low", "reset_kind": "sync"}, "AXI"),
    "axi-lite": ({"reset_polarity": "low", "reset_kind": "sync"}, "AXI"),
    "wishbone": ({"reset_polarity": "high", "reset_kind": "sync"}, "Wishbone"),
}


@dataclass(frozen=True, kw_only=True)
class TopParameters:
    """Parameters of the top module.

    Parameters
    ----------
    reset_polarity : "high", port ``rst``, or "low", port ``rst_n``.
    reset_kind : "sync", or "async": reset begins at once, also without a clock, and ends at the
        second clock edge after it is released.
    memory_style : "block" RAM; "distributed", in look-up tables; or "auto", as the tool chooses.
    """

    reset_polarity: str = "high"
    reset_kind: str = "sync"
    memory_style: str = "block"

    @property
    def reset_port(self) -> str:
        """Name of the reset of plain streams."""
        return "rst" if self.reset_polarity == "high" else "rst_n"


USUAL = TopParameters()


def top_parameters(text: str, interface: str) -> TopParameters:
    """The parameters that ``text`` gives, as in ``reset_polarity=low,memory_style=auto``.

    Raises
    ------
    TriodiaError
        For an unknown name or value, or a reset that ``interface`` cannot have.
    """
    rules, standard = _RULES.get(interface, ({}, ""))
    given = dict(rules)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name not in _CHOICES:
            known = [field.name for field in fields(TopParameters)]
            near = get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise TriodiaError(f"`--top-parameters` has no {name!r}; {hint}")
        if value not in _CHOICES[name]:
            choices = " or ".join(_CHOICES[name])
            raise TriodiaError(f"The top parameter {name} must be {choices}, got {value!r}.")
        if rules.get(name, value) != value:
            raise TriodiaError(
                f"{name} must be {rules[name]} with `--interface {interface}`, got {value}: so "
                f"{standard} defines its reset here."
            )
        given[name] = value
    return TopParameters(**given)
