import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.models import Merchant, Product, ProductImage
from catalog.pictures.fetch import Fetched
from catalog.uploads.remote_pictures import fetch_due
from tests.catalog.shop import Shop, open_shop
from tests.fakes import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    return open_shop(settings, tmp_path)


def run(shop: Shop, *arguments: str, merchant: str = "atelier") -> tuple[str, str]:
    """Returns standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_catalog", str(shop.feed.write()), "--merchant", merchant, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_feed_is_imported_and_its_pictures_are_indexed(shop):
    shop.feed.add_many(3)

    out, _ = run(shop)

    assert out.splitlines() == ["3 added, 0 changed, 0 unchanged, 0 failed.", "3 pictures indexed, 0 failed."]
    assert len(shop.points()) == 3


def test_a_merchant_is_made_when_there_is_none(shop):
    shop.feed.add("S-1")

    run(shop, merchant="blue-hour")

    assert Merchant.objects.get(slug="blue-hour").name == "Blue Hour"
    assert Product.objects.get().merchant.slug == "blue-hour"


def test_the_columns_that_were_used_are_told(shop):
    shop.feed.rows.append({"sku": "1", "title": "One", "packshot": "one.png", "season": "Fall"})
    shop.feed.draw("one.png", seed=1)

    _, err = run(shop, "--column", "image_link=packshot")

    assert "Columns: id from 'sku', title, image_link from 'packshot'." in err
    assert "Not used: season." in err


def test_bad_rows_are_listed_and_good_ones_kept(shop):
    shop.feed.add("S-1")
    shop.feed.add("S-2", price="much")

    out, err = run(shop)

    assert "1 added, 0 changed, 0 unchanged, 1 failed." in out
    assert "'much' is not a price" in err
    assert Product.objects.count() == 1


def test_only_the_first_errors_are_printed_and_all_are_written(shop, tmp_path):
    shop.feed.add("S-1", gtin="1E+9")
    for n in range(30):
        shop.feed.rows.append({"id": f"X-{n}", "title": "=1+1", "image_link": "=nowhere"})
    file = tmp_path / "errors.csv"

    _, err = run(shop, "--errors", str(file))

    assert err.count("nowhere") == 2 * 19  # in the message and as the value
    assert "… and 11 more." in err
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert len(rows) == 31
    assert rows[0]["code"] == "gtin_invalid"
    assert [rows[0]["row_kept"], rows[1]["row_kept"]] == ["yes", "no"]
    assert rows[1]["row"] == "3"
    assert rows[1]["value"] == "'=nowhere"  # no spreadsheet calculates it


def test_json_is_one_document_on_standard_output(shop):
    shop.feed.add("S-1")
    shop.feed.add("S-2", price="much")

    out, _ = run(shop, "--json")

    document: dict[str, Any] = json.loads(out)
    assert {name: document[name] for name in ("rows", "added", "failed", "dry_run")} == {
        "rows": 2,
        "added": 1,
        "failed": 1,
        "dry_run": False,
    }
    assert document["columns"]["image_link"] == "image_link"
    assert document["errors"][0] == {
        "row": 3,
        "column": "price",
        "code": "price_invalid",
        "message": "'much' is not a price. Write it like 19.90 EUR.",
        "value": "much",
        "is_fatal": True,
    }
    assert document["images"]["indexed"] == 1


def test_a_dry_run_writes_nothing(shop):
    shop.feed.add("S-1")

    out, _ = run(shop, "--dry-run", merchant="nobody-yet")

    assert out.startswith("Would be: 1 added")
    assert not Product.objects.exists()
    assert not Merchant.objects.filter(slug="nobody-yet").exists()


def test_pictures_can_be_left_to_a_worker(shop):
    shop.feed.add("S-1")

    run(shop, "--no-index")

    assert ProductImage.objects.get().state == "pending"


def test_a_feed_without_one_good_row_is_a_failure(shop):
    shop.feed.add("S-1", price="much")

    with pytest.raises(CommandError, match="Not one row"):
        run(shop)


def test_an_empty_feed_is_no_failure(shop):
    shop.feed.path.write_text("id,title,image_link\n")
    out = io.StringIO()

    call_command("import_catalog", str(shop.feed.path), "--merchant", "atelier", stdout=out, stderr=io.StringIO())

    assert out.getvalue().startswith("0 added")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--column", "image_link=nowhere"], "no column 'nowhere'"),
        (["--column", "nonsense"], "OURS=THEIRS"),
        (["--errors", "/nowhere/errors.csv"], "Can't write"),
    ],
)
def test_a_wrong_option_is_explained_and_nothing_imported(shop, arguments, words):
    shop.feed.add("S-1")

    with pytest.raises(CommandError, match=words):
        run(shop, *arguments)

    assert not Product.objects.exists()


def test_a_slug_that_is_none_is_refused(shop):
    shop.feed.add("S-1")

    with pytest.raises(CommandError, match="letters, digits"):
        run(shop, merchant="not a slug")


def test_a_file_that_is_not_there_is_explained(shop, tmp_path):
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_catalog", str(Path(tmp_path) / "nowhere.csv"), "--merchant", "atelier")


def test_a_store_that_is_down_keeps_the_rows(shop):
    shop.feed.add("S-1")
    shop.store.failing = True

    with pytest.raises(CommandError, match="switched off"):
        run(shop)

    assert (Product.objects.count(), ProductImage.objects.get().state) == (1, "pending")


def test_pictures_named_by_url_are_fetched_and_indexed_before_the_command_ends(shop, monkeypatch):
    asked: list[str] = []

    def fetch(url: str, **limits: object) -> Fetched:
        asked.append(url)
        return Fetched(picture(1))

    monkeypatch.setattr("catalog.management.commands.import_catalog.fetch_due", lambda: fetch_due(fetch=fetch))
    shop.feed.rows.append({"id": "S-1", "title": "One", "image_link": "https://cdn.example/1.png"})

    run(shop)

    assert asked == ["https://cdn.example/1.png"]
    assert ProductImage.objects.get().state == "indexed"
