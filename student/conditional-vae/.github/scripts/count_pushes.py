"""Count the pushes so far to the branch that counts, from GitHub's own log.

Usage: python .github/scripts/count_pushes.py RESULT.json

Writes {"branch": ..., "count": ..., "complete": ...}; "complete" is false where the log has a hole. Writes nothing
where the log cannot be read. Only the standard library is needed.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

SHEET = Path(__file__).resolve().parents[2] / ".gapgrade" / "sheet.json"
COUNTED = ("push", "force_push", "pr_merge", "merge_queue_merge")
MAX_PAGES = 10
SECONDS = 20


def read_log(api: str, repository: str, branch: str, token: str) -> list[dict[str, Any]]:
    """All entries of the log for one branch, the newest first."""
    items: list[dict[str, Any]] = []
    url = f"{api}/repos/{repository}/activity?ref=refs/heads/{quote(branch, safe='')}&per_page=100"
    for _ in range(MAX_PAGES):
        headers = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS) as answer:
            items += json.load(answer)
            links = answer.headers.get("Link", "")
        following = [link for link in links.split(",") if 'rel="next"' in link]
        if not following:
            return items
        url = following[0].partition("<")[2].partition(">")[0]
        if not url.startswith(f"{api}/"):
            break
    return items


def count(items: list[dict[str, Any]]) -> dict[str, Any]:
    """The pushes of people, and whether each entry goes on where the one before it ended."""
    ordered = sorted(items, key=lambda item: (item["timestamp"], item["id"]))
    pushes = [item for item in ordered if item["activity_type"] in COUNTED and not is_bot(item["actor"])]
    whole = all(earlier["after"] == later["before"] for earlier, later in pairwise(ordered))
    return {"count": len(pushes), "complete": whole}


def is_bot(actor: dict[str, Any] | None) -> bool:
    """Whether an account is a bot's; one that is gone counts as a person's."""
    return actor is not None and (actor["type"] == "Bot" or actor["login"].endswith("[bot]"))


def main() -> None:
    """Read the log with the token of this run."""
    target = Path(sys.argv[1])
    try:
        branch = json.loads(SHEET.read_text(encoding="utf-8")).get("pushes", {}).get("branch", "main")
        api, token = os.environ["GITHUB_API_URL"], os.environ["GITHUB_TOKEN"]
        items = read_log(api, os.environ["GITHUB_REPOSITORY"], branch, token)
        counted = {"branch": branch, **count(items)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"The pushes could not be counted ({type(error).__name__}); your instructors count them anyway.")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(counted), encoding="utf-8")


if __name__ == "__main__":
    main()
