"""`python -m grader`: the commands by name; a module is loaded when its command is called."""

from __future__ import annotations

import importlib
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

from grader.commands.exits import new_app, run_app

COMMANDS = {
    "doctor": "grader.commands.doctor",
    "grade": "grader.commands.grade",
    "autograde": "grader.commands.autograde",
    "batch": "grader.commands.batch",
    "merge": "grader.commands.merge",
    "show": "grader.commands.show",
    "stats": "grader.commands.stats",
    "dashboard": "grader.commands.dashboard",
    "feedback": "grader.commands.feedback",
    "gradebook": "grader.commands.gradebook",
    "review": "grader.commands.review",
    "marks": "grader.commands.marks",
    "collect": "grader.commands.collect",
    "publish": "grader.commands.publish",
    "export": "grader.commands.export",
    "export-notebook": "grader.commands.export_notebook",
    "report": "grader.commands.report",
}
"""By name, the module whose function of that name is the command, or whose `app` holds its commands."""

ABOUT = "Grade submissions of a sheet. Student code runs behind a wall; tests and points stay outside."


class Commands(TyperGroup):
    """Loads commands late: `batch` starts many processes and must not carry torch, which `grade` needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        app = getattr(module, "app", None)
        if app is None:
            app = new_app("")
            app.command(cmd_name)(getattr(module, cmd_name))
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command


app = new_app(ABOUT)


@app.callback(cls=Commands, help=ABOUT)
def main() -> None:
    """See `ABOUT`."""


if __name__ == "__main__":
    run_app(app)
