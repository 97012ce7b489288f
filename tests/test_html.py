"""The HTML report in a real browser: it loads nothing, runs nothing, and can be read on any screen.

Needs Chromium or Chrome; without one these tests fail, unless GAPGRADE_NO_BROWSER=1 says that there shall be none.
"""

from __future__ import annotations

import html as markup
import json
import os
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.pushes import Push, PushCount
from grader.reports.github import annotate
from grader.reports.html import html
from grader.reports.markdown import summary
from grader.reports.text import plain
from grader.reports.timeline import pushes_of
from grader.reports.views import student_view
from grader.result import Evidence, Request, Result, RuleResult
from grader.rules.pushes import rule_on_pushes
from grader.sheet import load_sheet
from tests.chromium import Chromium, find_browser
from tests.test_dashboard import show
from tests.test_reports import hostile_result, make_hidden, make_result, make_task, make_test
from tests.test_reports_text import HOSTILE

PHONE, DESKTOP = 360, 1200

MEASURE = """
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
function behind(element) {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if (color !== 'rgba(0, 0, 0, 0)') return rgb(color);
  }
  return [255, 255, 255];
}
function contrast(element) {
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}
function measure(doc) {
  const all = [...doc.querySelectorAll('*')];
  const texts = all.filter(one => !['STYLE', 'TITLE', 'HEAD'].includes(one.tagName) &&
    [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return {
    tags: [...new Set(all.map(one => one.localName))].sort(),
    handlers: all.flatMap(one => [...one.attributes].map(a => a.name)).filter(name => name.startsWith('on')),
    links: all.flatMap(one => ['href', 'src', 'action', 'data', 'poster'].map(name => one.getAttribute(name)))
      .filter(Boolean),
    width: doc.documentElement.scrollWidth,
    columns: getComputedStyle(doc.querySelector('main')).gridTemplateColumns.split(' ').length,
    headings: [...doc.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1])),
    landmarks: ['header', 'main', 'footer'].map(name => doc.querySelectorAll('body > ' + name).length),
    ids: [...doc.querySelectorAll('[id]')].map(one => one.id),
    names: [...doc.querySelectorAll('section')].map(one => doc.getElementById(one.getAttribute('aria-labelledby'))
      .textContent),
    contrasts: texts.map(one => [contrast(one), one.outerHTML.slice(0, 80)]).sort((a, b) => a[0] - b[0]).slice(0, 3),
    page: light(behind(doc.body)),
    title: doc.title,
    shown: getComputedStyle(doc.querySelector('h1')).display,
    text: doc.body.textContent,
  };
}
"""

Measure = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def browser() -> str:
    """The path of a browser."""
    return find_browser()


@pytest.fixture
def measure(browser: str, tmp_path: Path) -> Measure:
    """Shows a page in a frame of a given width, and returns what `MEASURE` finds in it."""

    def run(page: str, width: int = DESKTOP, *, dark: bool = False) -> dict[str, Any]:
        host = tmp_path / "host.html"
        host.write_text(
            f"<!doctype html><html style='color-scheme: light dark'><meta charset=utf-8><script>{MEASURE}</script>"
            f"<iframe style='border:0;width:{width}px;height:900px' srcdoc='{markup.escape(page)}'"
            " onload=\"const pre = document.createElement('pre'); pre.id = 'found';"
            ' pre.textContent = JSON.stringify(measure(this.contentDocument)); document.body.append(pre)"></iframe>',
            encoding="utf-8",
        )
        command = [browser, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"]
        command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={DESKTOP},900"]
        done = subprocess.run(
            [*command, "--dump-dom", host.as_uri()], capture_output=True, encoding="utf-8", timeout=120, check=True
        )
        found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found, done.stderr
        measured: dict[str, Any] = json.loads(markup.unescape(found[1]))
        return measured

    return run


def rich_result(**changes: Any) -> Result:
    """A result with something in every part of the page."""
    lines = [f"2027-01-{day} 13:00:00 +0100 push by ada" for day in (11, 12, 13, 15)]
    lines.append("2027-01-17 01:00:00 +0100 force_push by ada, after the due date")
    pushes = RuleResult(
        id="pushes",
        deduction=Decimal(1),
        message="4 pushes to main, 3 are free.",
        evidence=tuple(Evidence(text=line) for line in lines),
    )
    loops = RuleResult(
        id="loops", deduction=Decimal(0), message="1 loop", evidence=(Evidence(text="`for x`", file="a.py", line=3),)
    )
    failed = make_task(
        make_test(
            mistake="std-is-variance",
            mistake_title="The variance stands where the standard deviation belongs.",
            mistake_hint="Which of the two is the square?",
        ),
        make_test(1, outcome="error", message="NotImplementedError: TODO vae 7"),
        make_hidden(2),
        make_test(3, outcome="passed"),
    )
    style = make_task(
        id="4",
        title="Code style",
        kind="style",
        score=Decimal(0),
        bonus=True,
        note="2 findings: a.py:1: E501; a.py:2: W",
    )
    pending = make_task(
        id="1.4", title="In words", kind="written", state="pending", score=Decimal(0), note="see `a.pdf`"
    )
    edits = {"lib/model.py": "--- lib/model.py (handed out)\n+++ lib/model.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"}
    return make_result(
        failed, style, pending, **{"rules": (pushes, loops), "edits": edits, "advisory": True, **changes}
    )


def page_of(result: Result) -> str:
    return html(student_view(result))


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_the_contrast_that_wcag_asks_for(measure: Measure, dark: bool) -> None:
    for passed, pending in ((True, 0), (False, 0), (False, 2)):
        found = measure(page_of(rich_result(passed=passed, pending=Decimal(pending))), dark=dark)
        assert (found["page"] < 0.1) == dark
        assert found["contrasts"][0][0] >= 4.5, found["contrasts"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_axe_finds_nothing(browser: str, tmp_path: Path, width: int, dark: bool) -> None:
    (tmp_path / "profile").mkdir()
    with Chromium(browser, tmp_path / "profile") as chromium:
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        chromium.call("Emulation.setEmulatedMedia", features=scheme)
        chromium.call("Page.setBypassCSP", enabled=True)
        show(chromium, html(student_view(rich_result())), tmp_path, width)
        assert chromium.axe_finds() == []
        chromium.photograph(f"report-{width}-{'dark' if dark else 'light'}")


def test_the_page_fits_a_phone_and_uses_the_width_of_a_desktop(measure: Measure) -> None:
    long = rich_result(submission="x" * 150, edits={"lib/" + "y" * 150: "+" + "z" * 500})
    for result in (rich_result(), long):
        assert measure(page_of(result), PHONE)["width"] <= PHONE
    assert measure(page_of(rich_result()), PHONE)["columns"] == 1
    assert measure(page_of(rich_result()), DESKTOP)["columns"] == 2


def test_a_screen_reader_finds_landmarks_named_parts_and_headings_in_order(measure: Measure) -> None:
    found = measure(page_of(rich_result()))
    assert found["landmarks"] == [1, 1, 1]
    assert found["headings"][0] == 1
    assert all(after - before <= 1 for before, after in zip(found["headings"], found["headings"][1:], strict=False))
    assert [name.split("\n")[0].split(" −")[0] for name in found["names"]] == [
        "Points",
        "Not yet right",
        "What to do next",
        "Pushes",
        "Rules",
        "Edits outside the gaps",
    ]
    assert len(found["ids"]) == len(set(found["ids"]))


def test_hostile_text_is_text(measure: Measure) -> None:
    plain_tags = measure(page_of(hostile_result("harmless")))["tags"]
    hostile = measure(page_of(hostile_result("\n".join(HOSTILE))))
    assert hostile["tags"] == plain_tags
    assert (hostile["handlers"], hostile["links"]) == ([], ["#report"])
    assert "<script>alert(1)</script><svg onload=x>" in hostile["text"]
    for text in HOSTILE:
        for spelled in plain(text).split("\n"):
            assert spelled.strip() in hostile["text"]


def test_the_policy_of_the_page_stops_what_is_put_into_it(measure: Measure) -> None:
    page = page_of(rich_result())
    injected = "<script>document.title = 'ran'</script><style>h1 { display: none }</style>"
    found = measure(page.replace("<footer>", f"{injected}<img src=x onerror=\"document.title = 'ran'\"><footer>"))
    assert {"script", "img"} <= set(found["tags"])
    assert (found["title"], found["shown"]) == ("team-07: 7.5 / 10 points, Generative models", "block")


def test_the_page_says_what_counts_what_failed_and_what_to_do() -> None:
    page = markup.unescape(re.sub(r"<[^>]*>", "", page_of(rich_result())))
    phrases = [
        "7.5 / 10 points",
        "✓ passed",
        "5 to pass",
        "Advisory.",
        "1.5 points open",
        "The variance stands where the standard deviation belongs. Which of the two is the square?",
        "not done yet: TODO vae 7 - 1 test waits for it",
        "Think of the logarithm.",
        "What to do next",
        "Fri 15 Jan, 13:00 push by ada one too many",
        "force push by ada after the due date",
        "a.py:3",
    ]
    places = [page.index(phrase) for phrase in phrases]
    assert places == sorted(places)
    assert "+a = 2" in page


def test_findings_on_style_and_requests_to_look_again_are_told_in_full() -> None:
    evidence = tuple(Evidence(text=f"E501 <line> {i}", file="a.py", line=i) for i in range(1, 9))
    note = "pycodestyle has 8 findings: a.py:1: E501; ..."
    style = make_task(id="4", title="Style", kind="style", score=Decimal(0), note=note, evidence=evidence)
    asked = Request(task="1.4", text="<b>Why?</b>", at="2027-01-20T10:00:00+00:00")
    requests = (asked, asked.model_copy(update={"answer": "The sign is missing."}))
    student = student_view(make_result(style, requests=requests))
    page = markup.unescape(re.sub(r"<[^>]*>", "", html(student)))
    assert all(f"a.py:{i} E501 <line> {i}" in page for i in range(1, 9))
    assert page.index("open, asked 2027-01-20") < page.index("answered, asked") < page.index("The sign is missing.")
    assert "<b>Why?</b>" in page
    told = summary(student)
    assert "nobody has answered yet" in told
    assert "The sign is missing&#46;" in told
    assert sum("file=a.py,line=" in line for line in annotate(student)) >= 7


def test_nothing_to_do_is_said(measure: Measure) -> None:
    done = make_result(make_task(make_test(outcome="passed"), score=Decimal(4)))
    found = measure(page_of(done))
    assert "Nothing: all that a test can check is right." in found["text"]
    assert "Not yet right" not in found["text"]


def test_the_time_line_reads_what_the_rule_on_pushes_writes() -> None:
    sheet = load_sheet("generative-models", Path(__file__).parent.parent)
    assert sheet.due is not None
    days = [timedelta(days=day) for day in (-5, -4, -3, -1, 1)]
    events = tuple(Push(at=sheet.due + day, kind="push", actor="a by b", after_due=day > days[3]) for day in days)
    counted = PushCount(branch="main", count=4, complete=True, pushes=events, by_bots=0, hole="")
    (rule,) = rule_on_pushes(sheet, counted)
    pushes = pushes_of(rule)
    assert [push.at.astimezone(UTC) for push in pushes] == [event.at.astimezone(UTC) for event in events]
    assert {(push.kind, push.actor) for push in pushes} == {("push", "a by b")}
    assert [(push.costs, push.late) for push in pushes] == [(False, False)] * 3 + [(True, False), (False, True)]
    assert [round(push.place, 3) for push in pushes] == [0, 0.167, 0.333, 0.667, 1]


def test_pushes_at_one_moment_stand_in_the_middle() -> None:
    line = datetime(2027, 1, 1, tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S %z push by ada")
    rule = RuleResult(id="pushes", deduction=Decimal(0), message="", evidence=(Evidence(text=line),))
    assert [push.place for push in pushes_of(rule)] == [0.5]
