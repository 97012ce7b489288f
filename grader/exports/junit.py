"""One JUnit document for many submissions: a suite for each task of each, hidden tests by title alone."""

from __future__ import annotations

from xml.etree import ElementTree

from grader.exports.rows import Book
from grader.reports.junit import junit as one_junit
from grader.reports.text import line
from grader.reports.views import student_view


def junit(book: Book) -> str:
    root = ElementTree.Element("testsuites", name=line(book.results[0].title) if book.results else "")
    for result in book.results:
        for suite in ElementTree.fromstring(one_junit(student_view(result)).encode()):
            suite.set("name", f"{line(result.submission)}: {suite.get('name', '')}")
            root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
