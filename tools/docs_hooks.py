"""Generated pages of the documentation site: README, CONTRIBUTING and the command reference."""

from pathlib import Path

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from triodia.cli.commands import TRIODIA
from triodia.cli.parser import command_line

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
    """Return the Markdown reference of every command, from the help texts of the program."""
    functions = {name: TRIODIA.function(name) for name in TRIODIA.commands}
    command = typer.main.get_command(command_line(functions, TRIODIA.help))
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name=TRIODIA.name)
    return text.replace("# `triodia`", "# Commands", 1)
