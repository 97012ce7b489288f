"""Run the attack suite: `python -m tests.attacks [--quick] [--only WORD]`."""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.attacks.run import MODULES, Seen, run_all


def main() -> int:
    arguments = sys.argv[1:]
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    start = time.monotonic()
    seen = []
    print(f"{'attack':44} | {'mode':8} | {'expected':8} | seen", flush=True)
    for one in run_all(only, quick="--quick" in arguments):
        seen.append(one)
        print(_row(one), flush=True)
    _print_counts(seen, time.monotonic() - start)
    return int(any(one.wrong for one in seen))


def _row(one: Seen) -> str:
    seen = one.expected
    if one.wrong:
        seen = f"NOT {one.expected}: {one.wrong}"
    elif one.not_here:
        seen = f"not here: {one.not_here}"
    return f"{one.name:44} | {one.mode:8} | {one.expected:8} | {' '.join(seen.split())}"


def _print_counts(seen: list[Seen], seconds: float) -> None:
    for mode in dict.fromkeys(one.mode for one in seen):
        of_mode = [one for one in seen if one.mode == mode]
        ran = [one for one in of_mode if not one.not_here]
        letters = Counter(one.expected for one in ran if not one.wrong)
        counts = ", ".join(f"{letters[letter]} {letter}" for letter in ("F", "D", "K", "R", "E", "N", "ok"))
        wrong, absent = sum(bool(one.wrong) for one in ran), len(of_mode) - len(ran)
        print(f"{mode}: {len(ran)} ran, as expected {counts}; {wrong} otherwise; {absent} not here")
    forbidden = {one.name for one in seen if one.expected != "ok" and not one.not_here}
    allowed = {one.name for one in seen if one.expected == "ok" and not one.not_here}
    print(f"{len(forbidden)} forbidden and {len(allowed)} allowed cases of {len(MODULES)} kinds in {seconds:.0f} s")


if __name__ == "__main__":
    raise SystemExit(main())
