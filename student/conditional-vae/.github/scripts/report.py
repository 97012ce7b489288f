"""Turn what the steps before left in results/ into an advisory score.

Usage: python .github/scripts/report.py results

Writes the job summary (to the terminal where there is none), annotations, the notices with the points, and the result
as Classroom 50 reads it. Only the standard library is needed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from annotations import annotations, notices
from classrooms import classroom50, runner_result
from results import read_results
from summary import summary


def main() -> None:
    """Write everything."""
    folder = Path(sys.argv[1])
    results = read_results(folder)
    if not append("GITHUB_STEP_SUMMARY", summary(results)):
        print(summary(results))
    append("GITHUB_OUTPUT", f"result={runner_result(results)}\n")
    if os.environ.get("CLASSROOM"):
        (folder / "result.json").write_text(json.dumps(classroom50(results), indent=2), encoding="utf-8")
    for line in [*annotations(results), *notices(results)]:
        print(line)


def append(name: str, text: str) -> bool:
    """Add to the file that the runner named in a variable; tells whether there is one."""
    target = os.environ.get(name)
    if target:
        with open(target, "a", encoding="utf-8") as file:
            file.write(text)
    return bool(target)


if __name__ == "__main__":
    main()
