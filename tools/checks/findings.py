"""What a check found, and the counts that the table shows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something that must not be handed out as it is: where (line 0: the whole file), what, and what to do."""

    file: str
    line: int
    what: str
    do: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.do}"


@dataclass
class Report:
    """What was found of one exercise, or, added up, of one sheet.

    Attributes:
        recognised: how many mistakes a report would name.
        ran: the checks that were made, by name; a sheet's table shows a dash for the others.
        false_failures: the numbers of the gradings (counted from 0) in which the solution lost a test.
        seconds: how long each check took.
    """

    findings: list[Finding] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    mistakes_caught: int = 0
    mistakes: int = 0
    recognised: int = 0
    variants_passed: int = 0
    variants: int = 0
    killed: int = 0
    equivalent: int = 0
    survived: int = 0
    gradings: int = 0
    false_failures: set[int] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def mutants(self) -> int:
        return self.killed + self.equivalent + self.survived

    def add(self, other: Report) -> None:
        """Count another report's findings here, too."""
        self.findings += other.findings
        self.ran |= other.ran
        self.mistakes_caught += other.mistakes_caught
        self.mistakes += other.mistakes
        self.recognised += other.recognised
        self.variants_passed += other.variants_passed
        self.variants += other.variants
        self.killed += other.killed
        self.equivalent += other.equivalent
        self.survived += other.survived
        self.gradings = max(self.gradings, other.gradings)
        self.false_failures |= other.false_failures
        for name, seconds in other.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def to_json(self) -> dict[str, object]:
        """The object that `check_release --json` promises for a sheet."""
        return {
            "ok": not self.findings,
            "mistakes": {"caught": self.mistakes_caught, "total": self.mistakes},
            "variants": {"passed": self.variants_passed, "total": self.variants},
            "mutants": {
                "killed": self.killed,
                "equivalent": self.equivalent,
                "survived": self.survived,
                "total": self.mutants,
            },
            "false_failures": {"failed": len(self.false_failures), "gradings": self.gradings},
            "findings": [{"file": one.file, "line": one.line, "what": one.what, "do": one.do} for one in self.findings],
        }
