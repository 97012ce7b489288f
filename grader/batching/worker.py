"""A worker process, `python -m grader.batching.worker DESCRIPTOR`: sets up a bench once, does jobs until nobody asks.

It speaks with its starter over the socket of that descriptor: settings in, then `Ready` or `Unable` out; a job in, its
outcome out. Its standard input is its lifeline: when the starter is gone, however that ended, it closes.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import os
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from grader import GapgradeError, UnsafeError
from grader.batching.job import Ready, Settings, Station, Unable
from grader.grade import Bench, with_bench
from grader.sheet import load_sheet
from grader.wall import WallError
from grader.wall.choose import choose_wall


def main() -> None:
    faulthandler.enable()  # the last words of a crash are told with the submission
    threading.Thread(target=_die_with_starter, daemon=True).start()
    with Connection(int(sys.argv[1])) as connection:
        settings: Settings = connection.recv()
        try:
            wall = choose_wall(settings.sandbox)
            sheet = load_sheet(settings.sheet, Path(settings.course))
            serve = functools.partial(_serve, connection, settings=settings)
            with_bench(sheet, wall, serve, pictures=settings.pictures)
        except (UnsafeError, WallError) as error:
            connection.send(Unable(True, str(error)))
        except GapgradeError as error:
            connection.send(Unable(False, str(error)))


def _serve(connection: Connection, bench: Bench, settings: Settings) -> None:
    station = Station(bench, settings)
    _set_aside()
    try:
        connection.send(Ready(bench.wall.mode, bench.versions))
        while True:
            connection.send(station.do(connection.recv()))
    except (EOFError, ConnectionError):
        return
    finally:
        station.close()


def _set_aside() -> None:
    """Keep what was set up out of garbage collections: full ones become cheap and frequent, and memory stays flat."""
    gc.collect()
    gc.freeze()
    gc.collect()  # Python waits for the next full one until a quarter of what this one looked at is new


def _die_with_starter() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)  # what runs in the sandbox ends when this end of its socket closes


if __name__ == "__main__":
    main()
