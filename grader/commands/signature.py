"""Who grades: what people decide is signed with their name."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from grader import GapgradeError

GraderName = Annotated[
    str, typer.Option("--grader", help="Your name, which signs what you decide; otherwise the login name.")
]


def name_of(grader: str) -> str:
    """The name that was given, or the login name."""
    try:
        return grader or getpass.getuser()
    except (OSError, KeyError):
        raise GapgradeError("this user has no login name; say who grades: --grader NAME") from None
