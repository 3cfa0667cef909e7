"""Generated pages of the documentation site: README, CONTRIBUTING and the command reference."""

from pathlib import Path

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from triodia.cli.commands import TRIODIA, Program
from triodia.cli.parser import command_line
from triodia_studies.cli.main import app as studies

_ROOT = Path(__file__).parent.parent


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in ``docs/``."""
    readme = (_ROOT / "README.md").read_text().replace("](docs/", "](")
    style = (_ROOT / "CONTRIBUTING.md").read_text().replace("](docs/", "](")
    pages = {"index.md": readme, "CONTRIBUTING.md": style, "commands.md": _commands()}
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def _commands() -> str:
    """Return the Markdown reference of every command, from the help texts of both programs."""
    note = (
        "`triodia COMMAND --help` prints the same. [JSON results](json.md) lists what each command"
        " returns with `--json`."
    )
    parts = ["# Commands", note]
    for program in (TRIODIA, studies):
        parts += [_overview(program), _options(program)]
    return "\n\n".join(parts)


def _overview(program: Program) -> str:
    """Table of the commands of a program, in the groups of its help page."""
    rows = [
        f"| [`{program.name} {name}`](#{program.name}-{name}) | {command.summary} |"
        for group in program.groups.values()
        for name, command in group.items()
    ]
    return "\n".join([f"| {program.name} | |", "|---|---|", *rows])


def _options(program: Program) -> str:
    """Options of every command of a program, one section per command."""
    functions = {name: program.function(name) for name in program.commands}
    command = typer.main.get_command(command_line(functions, program.help))
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name=program.name)
    return text[text.index("\n## ") :].strip()
