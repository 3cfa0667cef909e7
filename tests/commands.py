"""Commands called as a person would, shared by the tests of the command line."""

import json

from triodia.cli import run

__all__ = ["call", "ok"]


def call(capsys, *arguments):
    """Exit code, stdout and stderr of a command."""
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def ok(capsys, *arguments):
    """JSON result of a command that must succeed."""
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)
