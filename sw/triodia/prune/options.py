"""Options of all steps by name; docs/lnp.md says which defaults are the paper's."""

from collections.abc import Iterable, Mapping
from dataclasses import fields

from triodia_hw.errors import TriodiaError

from ..ranges import check_finite
from .hardware import HardwareOptions
from .step1 import NoiseOptions
from .step3 import EdgeOptions
from .step4 import TimeOptions

__all__ = ["Choices", "choices", "read_choices"]

_KINDS = (NoiseOptions, EdgeOptions, TimeOptions, HardwareOptions)
Choices = tuple[NoiseOptions, EdgeOptions, TimeOptions, HardwareOptions]
# "steps" of NoiseOptions would be taken for those of LNP.
_DEFAULTS = {f.name: f.default for kind in _KINDS for f in fields(kind) if f.name != "steps"}


def choices(given: Mapping[str, object]) -> Choices:
    """Distribute ``given`` over one object of each kind of options, with defaults for the rest.

    Raises
    ------
    TriodiaError
        If an option does not exist, or a value is out of range or not finite.
    """
    _check_known(given)
    check_finite({name: given[name] for name in _DEFAULTS if name in given})
    return tuple(
        kind(**{f.name: given[f.name] for f in fields(kind) if f.name in given}) for kind in _KINDS
    )


def read_choices(
    texts: Iterable[str], defaults: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Parse options from texts ``NAME=VALUE``; each value has the type of its default.

    ``defaults`` are those of pruning if they are not given.

    Raises
    ------
    TriodiaError
        If a text has no ``=``, there is no such option, or its value is of another type.
    """
    found, defaults = {}, _DEFAULTS if defaults is None else defaults
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise TriodiaError(f"an option must be NAME=VALUE, not {text!r}")
        _check_known({name}, defaults)
        kind = type(defaults[name])
        try:
            found[name] = {"true": True, "false": False}[value] if kind is bool else kind(value)
        except (KeyError, ValueError):
            wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
            raise TriodiaError(f"{name} must be {wanted}, not {value!r}") from None
    return found


def _check_known(names: Iterable[str], defaults: Mapping[str, object] = _DEFAULTS) -> None:
    unknown = set(names) - defaults.keys()
    if unknown:
        raise TriodiaError(f"options must be among {', '.join(defaults)}, not {min(unknown)!r}")
