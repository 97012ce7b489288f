"""The process that workers are forked from, `python -m grader.batching.nursery DESCRIPTOR`.

It sets up a bench once, whatever number of workers then grade with it: torch is loaded, the tests are collected and the
sandbox's warm process is started a single time, and a worker that has to be replaced is there at once.

Over the socket of that descriptor come the settings, then orders: a number and two descriptors start the worker of that
number, a number alone ends it and is answered with its wait status. A worker speaks over the first of its descriptors:
`Ready` or `Unable` out, then a job in, its outcome out, until nobody asks; the second is the file for its last words.
"""

from __future__ import annotations

import faulthandler
import functools
import gc
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from grader import GapgradeError, UnsafeError
from grader.batching.job import Settings, Station, Unable
from grader.batching.worker import DYING_SECONDS, ORDER, STATUS
from grader.sheet import load_sheet
from grader.wall import WallError
from grader.wall.choose import choose_wall

if TYPE_CHECKING:  # torch comes with it, and loads while the sandbox starts
    from grader.grade import Bench

LOOK_SECONDS = 0.005


@dataclass(frozen=True)
class Order:
    """Start the worker of a number, or end it where there are no descriptors."""

    number: int
    seconds: float
    descriptors: tuple[int, ...]


def main() -> None:
    faulthandler.enable()  # the last words of a crash are told with the submission
    with socket.socket(fileno=int(sys.argv[1])) as control:
        with Connection(os.dup(control.fileno())) as connection:
            settings: Settings = connection.recv()
        try:
            _set_up(control, settings)
        except (UnsafeError, WallError) as error:
            _refuse(control, Unable(True, str(error)))
        except GapgradeError as error:
            _refuse(control, Unable(False, str(error)))


def _set_up(control: socket.socket, settings: Settings) -> None:
    wall = choose_wall(settings.sandbox)
    try:
        from grader.grade import with_bench

        sheet = load_sheet(settings.sheet, Path(settings.course))
        with_bench(sheet, wall, functools.partial(_raise_workers, control, settings), pictures=settings.pictures)
    finally:
        wall.close()


def _raise_workers(control: socket.socket, settings: Settings, bench: Bench) -> None:
    """Follow the orders until the starter is gone."""
    _set_aside()
    pids: dict[int, int] = {}
    for order in _orders(control):
        if not order.descriptors:
            control.sendall(STATUS.pack(_ended(pids.pop(order.number), order.seconds)))
            continue
        pids[order.number] = os.fork()
        if pids[order.number] == 0:
            control.close()
            _be_worker(order, bench, settings)
        for descriptor in order.descriptors:
            os.close(descriptor)
    for pid in pids.values():
        _ended(pid, DYING_SECONDS)


def _set_aside() -> None:
    """Keep what was set up out of garbage collections: full ones become cheap and frequent, and memory stays flat."""
    gc.collect()
    gc.freeze()
    gc.collect()  # Python waits for the next full one until a quarter of what this one looked at is new


def _refuse(control: socket.socket, unable: Unable) -> None:
    """Tell whoever asks for a worker why there is none."""
    for order in _orders(control):
        if not order.descriptors:
            control.sendall(STATUS.pack(0))
            continue
        connection, said = order.descriptors
        os.close(said)
        with Connection(connection) as speaking, suppress(OSError):
            speaking.send(unable)


def _orders(control: socket.socket) -> Iterator[Order]:
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(control, ORDER.size, 2)
        except ConnectionError:
            return
        if len(message) < ORDER.size:
            return
        number, seconds = ORDER.unpack(message)
        yield Order(number, seconds, tuple(descriptors))


def _ended(pid: int, seconds: float) -> int:
    """The wait status of a process that ends by itself within so many seconds, or is ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        time.sleep(LOOK_SECONDS)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def _be_worker(order: Order, bench: Bench, settings: Settings) -> NoReturn:
    """Do jobs until nobody asks."""
    connection, said = order.descriptors
    status = 1
    try:
        os.dup2(said, 2)
        threading.Thread(target=_die_with_starter, daemon=True).start()
        with Connection(connection) as speaking:
            _serve(speaking, Station(bench, settings))
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode(errors="replace"))  # pytest has taken sys.stderr
    finally:
        os._exit(status)


def _serve(connection: Connection, station: Station) -> None:
    try:
        connection.send(station.ready)
        while True:
            connection.send(station.do(connection.recv()))
    except (EOFError, ConnectionError):
        return
    finally:
        station.close()


def _die_with_starter() -> None:
    """Standard input is a lifeline: when the starter is gone, however that ended, it closes."""
    while os.read(0, 1):
        pass
    os._exit(1)  # what runs in the sandbox ends when this end of its socket closes


if __name__ == "__main__":
    main()
