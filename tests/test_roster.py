"""The roster: three formats told apart, and every mistake in one named by its line."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from grader.roster import Extension, RosterError, parse_extension, read_roster

DUE = datetime.fromisoformat("2027-01-16T23:59:00+01:00")


def write(folder: Path, text: str, name: str = "roster.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode("utf-8"))
    return file


def test_the_roster_of_github_classroom_keeps_those_without_an_account(tmp_path: Path) -> None:
    text = '"identifier","github_username","github_id","name"\n"12345","Ada-L","7","Ada L."\n"12346","","",""\n'
    linked, unlinked = read_roster(write(tmp_path, text))
    assert (linked.username, linked.identifier, linked.name) == ("Ada-L", "12345", "Ada L.")
    assert linked.more == {"github_id": "7"}
    assert unlinked.username == ""
    assert unlinked.submission == ""


def test_the_roster_of_classroom_50_gives_whole_names_with_any_bytes_excel_adds(tmp_path: Path) -> None:
    text = "\ufeffusername;first_name;last_name;email;section;github_id\r\nada;Ada;Löv;a@example.org;B;7\r\n"
    (person,) = read_roster(write(tmp_path, text))
    assert person.name == "Ada Löv"
    assert person.more["email"] == "a@example.org"


def test_a_team_is_one_submission(tmp_path: Path) -> None:
    people = read_roster(write(tmp_path, "username,team,repository\nada,Team 7,t-7\nbob,Team 7,t-7\n"))
    assert {person.submission for person in people} == {"team-7"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,email\nAda,a\n", "roster.csv:2: neither a column 'username'"),
        ("username\n--upload-pack=x\n", "roster.csv:2: '--upload-pack=x' is no account's name"),
        ("username\nada\nADA\n", "roster.csv:3: the account 'ADA' stands in line 2 too"),
        ("username,extention\nada,2\n", "did you mean 'extension'"),
        ("username,extension\nada,2027-01-20T23:59:00\n", "neither a time like"),
        ("username,team\nada,../../x\n", "no team's name"),
        ("username,repository\nada,a/b/c\n", "no repository"),
        ("username,repository\nada,..\n", "no repository"),
        ("username,name\nada\n", "roster.csv:2: 1 cells under 2 columns"),
        ("username,team\nada,Team 7\nbob,team-7\n", "roster.csv:3: the team 'team-7' is 'Team 7' elsewhere"),
        ("username,team\nada,Team 7\nteam-7,\n", "the account 'team-7' is called like a team"),
        ("username,repository\nada,o/hw-ada\nbob,o/hw-ada\nhw-ada,\n", "roster.csv:4: the account 'hw-ada'"),
        (
            "username,team,repository\nada,,o/hw-ada\neve,HW-ada,\nbob,hw-ADA,\n",
            "roster.csv:2: the repository 'hw-ada'",
        ),
        ('username\n"ada\n', "it is no CSV"),
        ("", "nobody on it has an account"),
    ],
)
def test_a_mistake_is_named_by_its_line(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(RosterError) as error:
        read_roster(write(tmp_path, text))
    assert complaint in str(error.value)


def test_one_name_for_a_team_its_repository_and_one_of_its_members_is_no_mistake(tmp_path: Path) -> None:
    text = "username,team,repository\nada,ada,o/ada\nbob,ada,\neve,,o/eve\nzoe,,o/pair\nmax,,o/pair\n"
    assert len(read_roster(write(tmp_path, text))) == 5


def test_extensions_of_a_second_file_go_before_the_rosters_own(tmp_path: Path) -> None:
    roster = write(tmp_path, "username,extension\nada,1 day\nbob,2\neve,\n")
    second = write(tmp_path, "username,extension\nADA,2027-01-30T12:00:00+01:00\n", "more.csv")
    ends = [person.extension and person.extension.end(DUE) for person in read_roster(roster, second)]
    assert ends == [datetime.fromisoformat("2027-01-30T12:00:00+01:00"), DUE + timedelta(days=2), None]
    with pytest.raises(RosterError, match=r"more.csv:2: 'mallory' is not on the roster"):
        read_roster(roster, write(tmp_path, "username,extension\nmallory,9\n", "more.csv"))


def test_an_extension_never_takes_time_away() -> None:
    assert Extension(until=DUE - timedelta(days=3)).end(DUE) == DUE
    assert parse_extension("", "here") is None
