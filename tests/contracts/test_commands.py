"""The page of commands and the command line name the same commands and options."""

import re
from pathlib import Path

import click
import typer

from hounsfield.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def _commands() -> dict[str, click.Command]:
    group = typer.main.get_command(app)
    return dict(getattr(group, "commands", {}))


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")}


def test_every_command_is_on_the_page_and_the_reverse() -> None:
    assert set(re.findall(r"^\| `hu (\w+)", PAGE, flags=re.MULTILINE)) == set(_commands())


def test_every_option_is_on_the_page_and_the_reverse() -> None:
    existing = set().union(*(_options(command) for command in _commands().values()))
    assert set(re.findall(r"--[a-z][a-z-]*", PAGE)) - {"--help"} == existing


def test_command_lines_on_pages_use_options_that_their_command_has() -> None:
    commands = _commands()
    lines = [
        line for page in PAGES for line in re.findall(r"^\$ hu (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(lines) > 10
    for line in lines:
        verb, *words = line.split("#")[0].split()
        assert verb in commands, line
        assert {word for word in words if word.startswith("--")} <= _options(commands[verb]), line
