import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from catalog.bands import Bands
from catalog.bands.calibration import forget, keep
from catalog.indexing.index import index_all
from catalog.indexing.points import ALIAS
from catalog.models import BandCalibration
from tests.catalog.shop import Shop, open_shop, use_fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    shop = open_shop(settings, tmp_path)
    shop.feed.add_many(4)
    shop.upload()
    index_all()
    return shop


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reindex_catalog", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_checking_says_that_all_agrees(shop):
    assert run("--check").startswith("Database and index agree.\n4 pictures: 4 points")


def test_checking_mends_what_differs(shop):
    shop.store.delete(ALIAS, [shop.image("P-0001").pk])

    out = run("--check")

    assert "Database and index differed: 1 without a point." in out
    assert "1 pictures indexed" in out
    assert len(shop.points()) == 4


def test_only_looking_mends_nothing_and_fails_when_they_differ(shop):
    shop.store.delete(ALIAS, [shop.image("P-0001").pk])

    with pytest.raises(CommandError, match="still differ"):
        run("--check", "--no-repair")

    assert len(shop.points()) == 3


def test_a_catalog_that_changed_much_is_said_to_need_other_bands(shop):
    keep(Bands.of_settings(), counts={}, report={})
    forget()
    BandCalibration.objects.update(products=2, created_at=timezone.now() - timedelta(days=9))
    said = io.StringIO()
    call_command("reindex_catalog", "--check", stdout=io.StringIO(), stderr=said)

    assert "4 products came or went" in said.getvalue()


def test_json_tells_before_and_after(shop):
    shop.store.delete(ALIAS, [shop.image("P-0001").pk])

    document = json.loads(run("--check", "--json"))

    assert (document["before"]["missing"], document["before"]["agrees"]) == (1, False)
    assert document["done"]["indexed"] == 1
    assert (document["after"]["missing"], document["after"]["agrees"]) == (0, True)


def test_plain_reindexing_embeds_everything_again(shop):
    encoded = shop.encoder.encoded

    run()

    assert shop.encoder.encoded == encoded + 4


def test_a_new_encoder_takes_over_and_the_old_collection_goes_when_asked(shop, settings):
    old = shop.store.resolve(ALIAS)
    use_fakes(settings, encoder="2")
    out = run()
    assert f"Kept from other encoders: {old} (4 points)" in out
    assert shop.store.resolve(ALIAS) != old

    out = run("--check", "--prune")

    assert f"Deleted {old}." in out
    assert list(shop.store.collections()) == [shop.store.resolve(ALIAS)]


def test_a_store_that_is_down_is_explained(shop):
    shop.store.failing = True

    with pytest.raises(CommandError, match="switched off"):
        run("--check")
