"""`python -m grader review`: grade by hand, in a browser on this machine."""

from __future__ import annotations

import socket
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from grader import GapgradeError
from grader.commands.places import DEFAULT_PLACE, Course, Place, SheetName, sheet_of
from grader.commands.signature import GraderName, name_of
from grader.gradebook import open_gradebook

LOOPBACK = "127.0.0.1"


def review(
    gradebook: Place = DEFAULT_PLACE,
    sheet: SheetName = None,
    grader: GraderName = "",
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Hide names and file names.")] = False,
    ref: Annotated[str | None, typer.Option(help="The branch, tag or commit that the batch graded.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    course: Course = Path(),
) -> None:
    """Grade written tasks by hand: each submission beside its rubric, one key an item.

    Example:

        python -m grader review --gradebook out --sheet generative-models
    """
    import uvicorn

    from grader.review.app import make_app
    from grader.review.desk import Desk
    from grader.review.guard import Doors
    from grader.review.viewer import find_parts

    with open_gradebook(gradebook, must_exist=True) as book:
        desk = Desk(book, sheet_of(book, sheet, course), name_of(grader), anonymous, ref)
        done, of = desk.look().progress()
        parts = find_parts()
        with _listening(port) as listening:
            doors = Doors(listening.getsockname()[1])
            typer.echo(f"{done} of {of} decided. Open, as {desk.grader}: {doors.address}")
            typer.echo("The address is a key: whoever has it can grade. Ctrl-C ends.")
            if anonymous:
                typer.echo("Names and file names are hidden; what students wrote into their PDFs is not.")
            if parts is None:
                typer.echo(
                    "pdf.js is not installed, so PDFs are only saved: install npm, then run make setup", err=True
                )
            config = uvicorn.Config(
                make_app(desk, doors, parts), log_level="warning", access_log=False, server_header=False, lifespan="off"
            )
            with tempfile.TemporaryDirectory(prefix="gapgrade-review-") as private:
                if show:
                    _show(doors.address, Path(private))
                uvicorn.Server(config).run(sockets=[listening])


def _show(address: str, private: Path) -> None:
    """Open the address by way of a page that only this account can read: everybody sees a browser's command line."""
    page = private / "review.html"
    page.write_text(f'<!doctype html><title>Review</title><meta http-equiv="refresh" content="0; url={address}">')
    webbrowser.open(page.as_uri())


def _listening(port: int) -> socket.socket:
    """A socket that only this machine reaches."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        raise GapgradeError(f"port {port} cannot be used ({error.strerror}); give another --port") from None
    return listening
