"""The audit page: filtered by who, what and when, and as CSV."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.audit import note
from catalog.models import AuditEntry
from tests.catalog.people import staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def rae(client):
    user = staff("rae", "Shop admins")
    client.force_login(user)
    return user


@pytest.fixture
def entries(rae):
    note(rae, "promote", "encoder v2", why="wins by .03")
    note(rae, "block", "product <7>", details={"copies": 3})
    note(None, "calibrate_bands", "bands")


def rows(client, query: str = "") -> list[list[str]]:
    body = b"".join(client.get(f"/console/audit.csv{query}").streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


def test_all_entries_are_shown_the_newest_first(entries, client):
    text = client.get("/console/audit/").content.decode()
    assert "3 entries" in text
    assert text.index("bands</td>") < text.index("product &lt;7&gt;") < text.index("encoder v2")
    assert "wins by .03" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?who=rae", {"promote", "block"}),
        ("?who=the+schedule", {"calibrate_bands"}),
        ("?what=block", {"block"}),
        ("?about=ENCODER", {"promote"}),
        ("?who=rae&what=calibrate_bands", set()),
        ("?since=2999-01-01", set()),
        ("?until=2000-01-01", set()),
        ("?since=nonsense&until=9999-12-31&page=x", {"promote", "block", "calibrate_bands"}),
        ("?about=%00", {"promote", "block", "calibrate_bands"}),
    ],
)
def test_entries_are_narrowed_on_the_page_and_in_the_file_alike(entries, client, query, found):
    text = client.get(f"/console/audit/{query}").content.decode()
    body = text.split("<tbody>")[-1] if "<tbody>" in text else ""
    assert {name for name in ("promote", "block", "calibrate_bands") if f">{name}<" in body} == found
    assert {row[2] for row in rows(client, query)[1:]} == found


def test_a_day_counts_whole(rae, client):
    note(rae, "promote", "encoder")
    today = timezone.now().date()
    assert len(rows(client, f"?since={today}&until={today}")) == 2
    assert len(rows(client, f"?since={today + timedelta(days=1)}")) == 1


def test_a_cell_that_begins_like_a_formula_is_harmless(rae, client):
    note(rae, "block", "=HYPERLINK(1)", why="@sum")
    (row,) = rows(client)[1:]
    assert (row[3], row[4]) == ("'=HYPERLINK(1)", "'@sum")


def test_no_entries_and_none_that_fit_say_so(rae, client):
    assert "Nothing was changed yet" in client.get("/console/audit/").content.decode()
    assert "No entry is like that" in client.get("/console/audit/?about=x").content.decode()


def test_many_entries_come_in_pages(rae, client):
    for number in range(60):
        note(rae, "block", f"product {number:03}")
    first = client.get("/console/audit/?who=rae").content.decode()
    second = client.get("/console/audit/?who=rae&page=2").content.decode()
    assert "product 059" in first
    assert "product 009" not in first
    assert "product 009" in second
    assert "who=rae&amp;page=2" in first


def test_the_page_changes_nothing(entries, client):
    for method in (client.post, client.put, client.delete):
        assert method("/console/audit/").status_code == 405
    assert AuditEntry.objects.count() == 3
