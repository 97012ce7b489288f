"""Whether a submission holds every file that its sheet asks for."""

from __future__ import annotations

from collections.abc import Sequence

from grader.intake.gather import IntakeError, Submission

COLLECT = "collect_submission.py"


def check_complete(submission: Submission, wanted: Sequence[str]) -> None:
    """Raise `IntakeError` with the list of what is missing; a file that was refused is listed with its reason."""
    refused = {one.file: one.reason for one in submission.refused}
    missing = [
        f"{file} (refused: {refused[file]})" if file in refused else file
        for file in wanted
        if file not in submission.files
    ]
    if missing:
        raise IntakeError(
            f"{submission.name}: {len(missing)} of the {len(wanted)} files that belong to a submission are missing: "
            f"{', '.join(missing)}; run python {COLLECT} and hand in the archive that it writes"
        )
