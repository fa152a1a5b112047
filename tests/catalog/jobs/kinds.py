"""Kinds of job that only tests have."""

import pytest

from catalog.jobs import registry
from catalog.jobs.registry import Kind, Progress
from shop_search.errors import InputError


class Kinds:
    """What the jobs of a test did, and what shall happen in the middle of one."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.meanwhile = lambda: None

    def count(self, report: Progress, *, to: int = 3) -> dict[str, int]:
        for done in range(to):
            report(done, to, f"counting {done}")
            self.did.append(str(done))
            self.meanwhile()
        report(to, to)
        return {"counted": to}

    def greet(self, report: Progress, *, whom: str) -> None:
        self.did.append(whom)

    def refuse(self, report: Progress) -> None:
        raise InputError("nothing_to_count", "There is nothing to count.")

    def crash(self, report: Progress) -> None:
        raise ZeroDivisionError


def use_kinds(monkeypatch: pytest.MonkeyPatch) -> Kinds:
    """Puts these kinds in the place of the product's."""
    made = Kinds()
    registry.kinds()
    monkeypatch.setattr(
        registry,
        "_kinds",
        {
            "count": Kind("count", "Count", "", made.count, "count", lambda: True),
            "recount": Kind("recount", "Count again", "", made.count, "count", None),
            "greet": Kind("greet", "Greet somebody", "", made.greet, "", None),
            "refuse": Kind("refuse", "Refuse", "", made.refuse, "", lambda: False),
            "crash": Kind("crash", "Crash", "", made.crash, "", None),
        },
    )
    return made
