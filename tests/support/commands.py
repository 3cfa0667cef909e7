"""Call commands as a user would; helpers for tests of the command line."""

import json

from triodia.cli.main import app, run
from triodia_studies.cli.main import app as studies

__all__ = ["call", "chain_files", "ok"]


def call(capsys, *arguments, program=None):
    """Exit code, stdout and stderr of a command, of the studies if only they have it."""
    only_theirs = studies.commands.keys() - app.commands.keys()
    program = program or (studies if arguments[0] in only_theirs else app)
    code = run([str(a) for a in arguments], program)
    out, err = capsys.readouterr()
    return code, out, err


def ok(capsys, *arguments):
    """JSON result of a command that must succeed."""
    code, out, err = call(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def chain_files(folder):
    """Files of one small chain in ``folder``, made by the commands themselves."""
    names = {n: folder / n for n in ("dense.net", "sparse.net", "trained.net", "model.image")}
    dense, sparse, trained, image = names.values()
    for arguments in (
        ["new", "-o", dense, "--neurons", 24, "--seed", 1],
        ["prune", dense, "-o", sparse, "--method", "lnp", "--synapses", 0.5, "--nodes", 0.8],
        ["train", sparse, "-o", trained, "--task", "digits", "--epochs", 2],
        ["quantize", trained, "-o", image, "--lanes", 2],
    ):
        assert run([str(a) for a in [*arguments, "--json"]]) == 0
    return names
