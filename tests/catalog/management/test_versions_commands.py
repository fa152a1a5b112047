import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from catalog.indexing.index import index_all
from catalog.models import AuditEntry, Version
from embeddings import encoder
from tests.catalog.shop import Shop, open_shop
from tests.fakes import FakeEncoder

pytestmark = pytest.mark.django_db

WEIGHTS = json.dumps({"appearance": 0.7, "color": 0.1, "attributes": 0.1, "quality": 0.1})


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    shop = open_shop(settings, tmp_path)
    for n in range(6):
        shop.feed.add(f"P-{n}", seed=n, additional_image_link=f"P-{n}-b.png")
        shop.feed.draw(f"P-{n}-b.png", seed=n, size=(120, 120))
    shop.upload()
    index_all()
    return shop


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_version_goes_its_way_from_proposal_to_rollback(shop):
    assert "is ready" in run("propose_version", "encoder", "two", "--options", '{"version": "2"}', "--build")
    document = json.loads(run("compare_versions", "two", "--sample", "6", "--json"))
    assert document["queries"] == 6
    assert document["gate"]["passes"] is False  # six queries are too few
    with pytest.raises(CommandError, match="at least 100"):
        run("promote_version", "two", "--why", "fine")
    run("promote_version", "two", "--why", "the shop is small", "--without-gate")
    assert encoder().card.fingerprint == FakeEncoder("2").card.fingerprint
    assert "is live again" in run("rollback_version", "encoder", "--why", "back")
    assert encoder().card.fingerprint == FakeEncoder("1").card.fingerprint
    assert [entry.by_name for entry in AuditEntry.objects.all()] == ["a command"] * 2


def test_the_comparison_is_told_as_a_table(shop):
    run("propose_version", "ranking", "weights", "--options", WEIGHTS)
    told = run("compare_versions", "weights", "--sample", "6")
    assert "recall@1" in told
    assert "FAILS  recall@1: 6 queries, at least 100." in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["propose_version", "ranking", "w"], "--card or --options"),
        (["propose_version", "ranking", "w", "--options", "{"], "no JSON"),
        (["propose_version", "ranking", "w", "--options", "{}"], "must say something"),
        (["compare_versions", "none"], "There is no version 'none'"),
        (["promote_version", "none", "--why", "x"], "There is no version"),
        (["rollback_version", "bands", "--why", "x"], "could be rolled back"),
    ],
)
def test_what_can_not_be_done_is_told_in_a_sentence(shop, arguments, message):
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def test_a_name_of_two_kinds_needs_the_kind(shop):
    run("propose_version", "ranking", "same", "--options", WEIGHTS)
    run("propose_version", "encoder", "same", "--options", '{"version": "2"}')
    with pytest.raises(CommandError, match="add --kind"):
        run("compare_versions", "same")
    assert Version.objects.count() == 2


def test_every_command_is_documented():
    text = (Path(project.BASE_DIR) / "docs" / "commands.md").read_text(encoding="utf-8")
    files = Path(project.BASE_DIR).glob("*/management/commands/*.py")
    names = {path.stem for path in files if not path.stem.startswith("_")}
    assert {name for name in names if f"`{name}`" not in text} == set()
