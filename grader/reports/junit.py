"""The report as JUnit XML: a suite a task, a case a test. Hidden tests show their title and their hint."""

from __future__ import annotations

from xml.etree import ElementTree

from grader.reports import words
from grader.reports.text import line, plain
from grader.reports.views import StudentResult
from grader.result import TaskResult, TestResult


def junit(student: StudentResult) -> str:
    """The XML document; text of a submission holds no character that XML forbids, `text.plain` has spelled them out."""
    result = student.shown
    root = ElementTree.Element("testsuites", name=line(result.title))
    for task in result.tasks:
        root.append(_suite(task, result.graded_at))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(task: TaskResult, timestamp: str) -> ElementTree.Element:
    cases = [_case(test, task) for test in task.tests] or [_case_without_tests(task)]
    suite = ElementTree.Element(
        "testsuite",
        name=line(words.name(task)),
        timestamp=line(timestamp),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
    )
    suite.extend(cases)
    return suite


def _case(test: TestResult, task: TaskResult) -> ElementTree.Element:
    case = ElementTree.Element("testcase", name=line(test.title), classname=line(task.id))
    if test.outcome != "passed":
        kind = "failure" if test.outcome == "failed" else "error"
        failure = ElementTree.SubElement(case, kind, type=test.outcome, message=line(test.hint))
        failure.text = plain(test.message)
    return case


def _case_without_tests(task: TaskResult) -> ElementTree.Element:
    """A task that no test decides, so that no task is missing from the list."""
    case = ElementTree.Element("testcase", name=line(words.name(task)), classname=line(task.id))
    if task.state == "pending":
        ElementTree.SubElement(case, "skipped", message="waits for a person")
    elif task.state == "refused":
        ElementTree.SubElement(case, "error", type="refused", message=line(task.note))
    elif task.score < task.max_score:
        message = f"{words.points(task.score)} of {words.counted(task.max_score)}"
        ElementTree.SubElement(case, "failure", type="failed", message=message)
    return case
