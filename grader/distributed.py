"""The same jobs on many machines: Dask hands them out, and a worker process of ours beside each of its threads grades.

Dask's workers see the submissions and the course under the same paths; the gradebook and the reports stay with the
caller.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from grader import GapgradeError
from grader.batching.crew import TICK, TRIES, Stop, differences, patience
from grader.batching.find import BatchError
from grader.batching.job import Job, Outcome, Ready, Settings
from grader.batching.worker import START_SECONDS, Nursery, Worker, WorkerGone
from grader.result import Versions
from grader.sheet import Limits

try:
    from distributed import Client, Future
except ModuleNotFoundError:
    raise GapgradeError("--scheduler needs Dask; run: pip install 'gapgrade[distributed]'") from None

CONNECT_SECONDS = 5
WORKER_SECONDS = 30  # until the first of Dask's workers has come
AHEAD = 2  # jobs for each thread: one is done, one is there already


def work_on(
    scheduler: str, jobs: Sequence[Job], settings: Settings, limits: Limits, stop: Stop
) -> Iterator[tuple[Job, Outcome]]:
    """Do jobs on a Dask cluster; outcomes come as they are ready, each job's exactly once.

    Where one of Dask's workers ends, another one does its jobs. Raises `UnsafeError` where a worker has no sandbox, and
    `BatchError` where it sees other files, grades with other versions, or where there is no scheduler.
    """
    waiting, running = deque(jobs), dict[Future[Outcome], Job]()
    done: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    with _connected(scheduler) as client:
        versions = _greeted(client, jobs[0], settings) if jobs else None
        try:
            while stop.wish < 2 and ((waiting and not stop.wish) or running):
                while waiting and not stop.wish and len(running) < AHEAD * _threads(client):
                    job = waiting.popleft()
                    future = client.submit(_grade, job, settings, patience(limits), key=f"grade-{uuid.uuid4().hex}")
                    running[future] = job
                    future.add_done_callback(done.put)
                try:
                    future = done.get(timeout=TICK)
                except queue.Empty:
                    continue
                job = running.pop(future)
                yield job, _outcome(future, versions)
        finally:
            client.cancel(list(running))
            with suppress(Exception):  # a worker that is gone has nobody to dismiss
                client.run(_dismiss)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    try:
        client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BatchError(f"no Dask scheduler answers at {scheduler} ({error}); start one: dask scheduler") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError:
            raise BatchError(f"{scheduler} has no workers; start some: dask worker {scheduler}") from None
        yield client


def _threads(client: Client) -> int:
    threads: dict[str, int] = client.nthreads()
    return max(1, sum(threads.values()))


def _greeted(client: Client, job: Job, settings: Settings) -> Versions:
    """Let every worker show that it can grade before it is given work; what all of them grade with."""
    asked = {
        address: client.submit(_greet, job, settings, workers=[address], key=f"greet-{uuid.uuid4().hex}")
        for address in client.nthreads()
    }
    first: Versions | None = None
    for address, future in asked.items():
        try:
            greeting = future.result(timeout=START_SECONDS)
        except GapgradeError as error:
            raise type(error)(f"{address}: {error}") from None
        except Exception as error:
            raise BatchError(f"{address}: it cannot grade ({error}); install this Gapgrade there") from None
        first = first or greeting.versions
        if unlike := differences(first, greeting.versions):
            raise BatchError(f"{address}: it does not grade like the others: {unlike}; give all the same course")
    assert first is not None  # there is at least one worker
    return first


def _outcome(future: Future[Outcome], versions: Versions | None) -> Outcome:
    """What became of a job. Raises what stops the whole batch: a worker without a sandbox, or with other versions."""
    try:
        outcome = future.result()
    except GapgradeError:
        raise
    except Exception as error:
        return Outcome("failed", reason=f"the worker of Dask ended: {error}")
    used = outcome.result.versions if outcome.result else versions
    if used and versions and (unlike := differences(versions, used)):
        raise BatchError(f"the workers do not grade alike: {unlike}; give all the same course and run it again")
    return outcome


# What follows runs on Dask's workers.

_here: dict[int, tuple[Settings, Worker]] = {}  # by thread, the process that grades for it


def _greet(job: Job, settings: Settings) -> Ready:
    for path in (settings.sheet, job.path):
        if not Path(path).exists():
            raise BatchError(f"there is no {path}; share the course and the submissions under the same paths")
    greeting = _worker(settings).greeting
    assert greeting is not None  # `_worker` waited for it
    return greeting


def _grade(job: Job, settings: Settings, seconds: float) -> Outcome:
    for attempt in range(1, TRIES + 1):
        worker = _worker(settings)
        worker.give(job, seconds)
        try:
            outcome = worker.hear()
        except WorkerGone as error:
            _end(_here.pop(threading.get_ident())[1])
            if attempt == TRIES:
                return Outcome("failed", reason=f"{error}, for the second time")
        else:
            if outcome is not None:
                return outcome
    return Outcome("failed", reason="its worker gave no outcome")


def _worker(settings: Settings) -> Worker:
    """This thread's process, started where there is none, or none for this batch."""
    used, worker = _here.get(threading.get_ident(), (None, None))
    if worker is not None and used == settings:
        return worker
    if worker is not None:
        _end(worker)
    worker = Worker(Nursery(settings))
    try:
        worker.hear()
    except WorkerGone as error:
        _end(worker)
        raise BatchError(f"no worker starts: {error}; run there: python -m grader doctor") from None
    except GapgradeError:
        _end(worker)
        raise
    _here[threading.get_ident()] = (settings, worker)
    return worker


def _end(worker: Worker) -> None:
    worker.nursery.end()
    worker.end()


def _dismiss() -> None:
    while _here:
        with suppress(KeyError):
            _end(_here.popitem()[1][1])
