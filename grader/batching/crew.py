"""Worker processes on this machine: each does one job at a time; one that ends or hangs is replaced."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait

from grader.batching.find import BatchError
from grader.batching.job import Job, Outcome, Ready, Settings
from grader.batching.worker import START_SECONDS, Nursery, Worker, WorkerGone
from grader.intake.gather import MAX_SECONDS
from grader.result import Versions
from grader.sheet import Limits

TICK = 0.2  # seconds between two looks at the clock and at the wish to stop
LEAVE_SECONDS = 5.0
TRIES = 2  # a job whose worker ended is done once more
NURSED = 8  # workers of one nursery, whose sandbox opens cells one after the other


@dataclass
class Stop:
    """The wish to stop: 1 finishes what has begun, 2 drops it."""

    wish: int = 0


def patience(limits: Limits) -> float:
    """Seconds after which a job is hopeless: reading and grading end by their own limits, twice where a wall broke."""
    return MAX_SECONDS + 2 * (START_SECONDS + limits.submission_seconds + limits.probe_seconds)


def work(
    jobs: Sequence[Job], settings: Settings, limits: Limits, count: int, stop: Stop
) -> Iterator[tuple[Job, Outcome]]:
    """Do jobs with `count` workers, in their order; outcomes come as they are ready, each job's exactly once.

    A worker gets its next job only after the caller has taken care of its last one. Raises `UnsafeError` where the
    sandbox does not work, `BatchError` where no worker starts or where they do not grade with the same versions.
    """
    waiting, tries, failed_starts = deque(jobs), Counter[str](), 0
    workers = _hired(min(count, len(waiting)), settings)
    greeting: Ready | None = None
    try:
        while stop.wish < 2 and ((waiting and not stop.wish) or any(worker.job for worker in workers)):
            for worker in _speaking(workers):
                job = worker.job
                try:
                    outcome = worker.hear()
                except WorkerGone as error:
                    worker.end()
                    living = (one.nursery for one in (worker, *workers) if one.nursery.lives)
                    workers[workers.index(worker)] = Worker(next(living, None) or Nursery(settings))
                    failed_starts += worker.greeting is None
                    if failed_starts == TRIES:
                        raise BatchError(f"no worker starts: {error}; run: python -m grader doctor") from None
                    if job is not None and (gone := _once_more(job, tries, waiting, error)):
                        yield job, gone
                    continue
                greeting = _same(greeting, worker.greeting)
                failed_starts = 0
                if job is not None and outcome is not None:
                    yield job, outcome
                if waiting and not stop.wish:
                    worker.give(waiting.popleft(), patience(limits))
    finally:
        _dismiss(workers, 0 if stop.wish > 1 else LEAVE_SECONDS)


def _hired(count: int, settings: Settings) -> list[Worker]:
    nurseries = [Nursery(settings) for _ in range(0, count, NURSED)]
    return [Worker(nurseries[number % len(nurseries)]) for number in range(count)]


def _speaking(workers: Sequence[Worker]) -> list[Worker]:
    """Those that have something to say, or should have said it long ago."""
    said = wait([worker.connection for worker in workers], TICK)
    return [worker for worker in workers if worker.connection in said or worker.late]


def _once_more(job: Job, tries: Counter[str], waiting: deque[Job], error: WorkerGone) -> Outcome | None:
    """Queue a job whose worker is gone again, or give it up."""
    tries[job.name] += 1
    if tries[job.name] == TRIES:
        return Outcome("failed", reason=f"{error}, for the second time")
    waiting.appendleft(job)
    return None


def _same(first: Ready | None, other: Ready | None) -> Ready | None:
    """The first worker's greeting. Raises `BatchError` where another one would grade with something else."""
    if first is not None and other is not None and (unlike := differences(first.versions, other.versions)):
        raise BatchError(
            f"the workers do not grade alike: {unlike}; change nothing while a batch runs, then run it again"
        )
    return first or other


def differences(first: Versions, other: Versions) -> str:
    """In what two gradings differ; empty where they are alike."""
    pairs = {name: (value, getattr(other, name)) for name, value in first}
    return ", ".join(f"{name} {one} and {two}" for name, (one, two) in pairs.items() if one != two)


def _dismiss(workers: Sequence[Worker], seconds: float) -> None:
    for worker in workers:
        worker.leave()
    for worker in workers:
        worker.nursery.end(seconds)
        worker.end()
