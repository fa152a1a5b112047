"""docs/api.md names what can be asked and answered, no more and no less."""

import re
from pathlib import Path

from django.conf import settings

from catalog.api.schema import AnswerShape
from catalog.api.serializers import QuestionSerializer

TEXT = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")


def first_column(heading: str) -> set[str]:
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+?) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_field_of_a_question_is_documented():
    assert first_column("Ask") == set(QuestionSerializer().fields)


def test_every_field_of_an_answer_is_documented():
    assert first_column("The answer") == set(AnswerShape().fields)
