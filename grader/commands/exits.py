"""Exit statuses by the contract: 0 graded, 2 refused, 3 this machine cannot grade safely, 1 a defect of ours."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from grader import GapgradeError, UnsafeError
from grader.wall import WallError

REFUSED, UNSAFE = 2, 3


def run_app(app: Callable[[], object]) -> None:
    """Run a command line; what goes wrong becomes one line on stderr and its exit status."""
    try:
        app()
    except (UnsafeError, WallError) as error:
        _stop(error, UNSAFE)
    except GapgradeError as error:
        _stop(error, REFUSED)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)


def _stop(error: GapgradeError, status: int) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(status)


def new_app(help_text: str, *, completes: bool = False) -> typer.Typer:
    """An app whose errors reach `run_app` and whose help shows its examples as they are written.

    Only one that is called by a name of its own `completes`; behind `python -m` no shell asks.
    """
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=completes,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
