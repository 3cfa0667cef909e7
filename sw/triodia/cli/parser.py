"""Typer as this program uses it: a command line of some functions, and errors as sentences."""

from collections.abc import Callable, Mapping

import typer
from typer.exceptions import TyperException

from triodia_hw.errors import TriodiaError

__all__ = ["command_line", "invoke"]


def command_line(functions: Mapping[str, Callable[..., None]], summary: str) -> typer.Typer:
    """A Typer application with ``functions`` as its commands."""
    app = typer.Typer(help=summary, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(lambda: None)  # with it, one command still has a name
    for name, function in functions.items():
        app.command(name)(function)
    return app


def invoke(app: typer.Typer, arguments: list[str], program: str) -> int:
    """Run ``app`` and return its exit code.

    Raises
    ------
    TriodiaError
        If the arguments are wrong.
    KeyboardInterrupt
        If the command was interrupted.
    """
    try:
        code = app(arguments, prog_name=program, standalone_mode=False)
    except TyperException as error:
        raise TriodiaError(_sentence(error)) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    if code == 130:  # typer's own word for Ctrl-C
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _sentence(error: TyperException) -> str:
    """What was wrong with the arguments, with the value and the range."""
    reasons = getattr(error.__cause__, "errors", None)
    parameter = getattr(error, "param", None)
    if reasons is None or parameter is None:
        return error.format_message()
    value = reasons()[0]["input"]
    return f"`{max(parameter.opts, key=len)}` must be {_wanted(parameter)}, got {value}."


def _wanted(parameter: object) -> str:
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    kind = "a whole number" if parameter.type_descriptor.annotation is int else "a number"
    if low is not None and high is not None:
        return f"{kind} between {low:,} and {high:,}"
    if low is not None:
        return f"{kind} of at least {low:,}"
    return kind if high is None else f"{kind} of at most {high:,}"
