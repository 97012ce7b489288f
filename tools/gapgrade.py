"""`gapgrade`: the commands of `python -m grader` and of `python -m tools.*` under one name that a shell can complete.

Shells complete what is typed first, so that nothing can be offered behind `python -m`.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer
import typer.main

from grader.__main__ import ABOUT, Commands
from grader.commands.exits import new_app, run_app

TOOLS = ("make_release", "check_release", "make_signatures", "mutate", "make_autograder", "migrate")


class Everything(Commands):
    """The grader's commands, then the tools'; each is loaded when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *TOOLS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in TOOLS:
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_command(importlib.import_module(f"tools.{cmd_name}").app)
        command.name = cmd_name
        return command


app = new_app(ABOUT, completes=True)


@app.callback(cls=Everything, help=ABOUT)
def main() -> None:
    """See `ABOUT`."""


def run() -> None:
    """The console script."""
    run_app(app)
