"""`python -m grader`."""

from __future__ import annotations

from grader.commands.exits import new_app, run_app
from grader.commands.grade import grade

app = new_app("Grade submissions of a sheet. Student code runs behind a wall; tests and points stay outside.")
app.command()(grade)


@app.callback()
def main() -> None:
    """Grade submissions of a sheet. Student code runs behind a wall; tests and points stay outside."""


if __name__ == "__main__":
    run_app(app)
