import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.indexing.index import index_all
from tests.catalog.shop import Shop, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    shop = open_shop(settings, tmp_path)
    shop.feed.add("small", seed=1, brand="Linden", color="red")
    shop.feed.add("bare", seed=2, price="", title="Bare")
    shop.upload()
    index_all()
    return shop


def run(*arguments: str, **options) -> str:
    out = StringIO()
    call_command("catalog_doctor", "atelier", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_table_counts_each_code_and_names_what_to_fix_first(shop):
    lines = run().splitlines()

    assert lines[0] == "2 products on sale, 2 of them with something to mend."
    counted = [line.split()[:3] for line in lines if line.split()[1:2] == ["warning"]]
    assert counted == [["1", "warning", "no_price"], ["2", "warning", "too_small"]]
    first = lines[lines.index("Fix first:") + 1 :]
    assert first[0] == "  bare  Bare"
    assert any(line.strip().startswith("no_price: ") for line in first)


def test_json_is_one_document_with_counts_and_the_worst(shop):
    document = json.loads(run("--json", "--worst", "1"))

    assert (document["merchant"], document["products"], document["products_with_findings"]) == ("atelier", 2, 2)
    assert document["counts"] == {"no_price": 1, "too_small": 2, "no_brand": 1, "no_color": 1}
    (worst,) = document["worst"]
    assert worst["sku"] == "bare"
    assert {"code", "severity", "message", "advice", "image"} == worst["findings"][0].keys()


def test_one_code_can_be_asked_for(shop):
    document = json.loads(run("--json", "--code", "no_price"))

    assert [one["sku"] for one in document["worst"]] == ["bare"]


def test_an_unknown_code_is_an_error(shop):
    with pytest.raises(CommandError, match="invalid choice"):
        run("--code", "ugly")


def test_an_unknown_merchant_is_an_error():
    with pytest.raises(CommandError, match="no merchant 'atelier'"):
        run()


def test_a_store_that_is_down_is_an_error_that_names_it(shop):
    shop.store.failing = True

    with pytest.raises(CommandError, match="switched off"):
        run()
