import re
from datetime import date, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from catalog.insights.unmet_demand import Cluster, Demand
from catalog.models import AgreedSearch, Category, Feedback, Impression, Member, Merchant, Product, SearchRecord
from catalog.pages.merchant.insights import label, percent
from catalog.pages.merchant.plots import plot, share

TODAY = date(2026, 3, 5)


def test_a_plot_of_no_days_is_empty_and_one_of_quiet_days_is_flat():
    assert plot([]).bars == []
    quiet = plot([(TODAY, 0), (TODAY, 0)])
    assert [bar.height for bar in quiet.bars] == ["0.0", "0.0"]
    assert (quiet.most, quiet.total, quiet.width) == (0, 0, "2")


def test_the_largest_bar_fills_the_plot_and_a_small_one_is_still_seen():
    bars = plot([(TODAY, 1), (TODAY, 1000)]).bars

    assert [(bar.y, bar.height) for bar in bars] == [("99.0", "1.0"), ("0.0", "100.0")]


@pytest.mark.parametrize(("count", "most", "expected"), [(0, 0, "0"), (0, 9, "0"), (1, 1000, "1.0"), (5, 10, "50.0")])
def test_bars_beside_a_table_are_shares_of_the_longest(count, most, expected):
    assert share(count, most) == expected


def test_a_rate_of_nothing_is_no_number():
    assert percent(0, 0) == "-"
    assert percent(1, 8) == "12.5 %"


@pytest.mark.parametrize(
    ("cluster", "name", "expected"),
    [
        (Cluster("shoes", (), "", 5, 5), "Shoes", "shoes"),
        (Cluster("shoes", ("hiking", "boots"), "red", 5, 5), "Shoes", "red shoes, “hiking boots”"),
        (Cluster("", ("bicycle",), "", 5, 5), "", "“bicycle”"),
    ],
)
def test_a_cluster_is_named_by_what_its_searches_share(cluster, name, expected):
    assert label(Demand(cluster, name, 0)) == expected


@pytest.fixture
def alice(db) -> Client:
    linden = Merchant.objects.create(slug="linden", name="Linden")
    user = get_user_model().objects.create_user("alice")
    Member.objects.create(user=user, merchant=linden, role="viewer")
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, query: str = "") -> str:
    return client.get(f"/merchant/linden/insights/{query}").content.decode()


def product(sku: str, merchant: str = "linden") -> Product:
    seller, _ = Merchant.objects.get_or_create(slug=merchant, defaults={"name": merchant.title()})
    shoes, _ = Category.objects.get_or_create(slug="shoes", defaults={"name": "Shoes"})
    return Product.objects.create(merchant=seller, sku=sku, title=f"<b>{sku}</b>", category=shoes)


def shown(product: Product, *, days_ago: int = 0) -> SearchRecord:
    search = SearchRecord.objects.create(answer={}, category="shoes", band="similar")
    day = timezone.localdate() - timedelta(days=days_ago)
    Impression.objects.create(search=search, product=product, merchant=product.merchant, rank=1, day=day)
    return search


def test_a_shop_that_nobody_searched_has_a_page(alice):
    text = page(alice)

    assert "Nobody has searched yet." in text
    assert "No search has shown your products yet." in text


def test_a_merchant_reads_what_was_shown_clicked_and_never_shown(alice):
    oxford, derby = product("oxford"), product("derby")
    search = shown(oxford)
    Feedback.objects.create(search=search, product=oxford, verdict="click")

    text = page(alice)

    assert "100.0 %" in text
    assert text.index("&lt;b&gt;oxford") < text.index("&lt;b&gt;derby")
    assert f"/p/{derby.pk}/" in text
    assert "<b>" not in text
    assert "style=" not in text  # the content security policy forbids it


def test_the_period_is_chosen_by_address_and_nonsense_is_the_usual_one(alice):
    shown(product("oxford"), days_ago=20)

    assert "&lt;b&gt;oxford" in page(alice, "?days=30").split('id="never"')[0]
    assert "&lt;b&gt;oxford" not in page(alice, "?days=7").split('id="never"')[0]
    assert 'href="?days=30" aria-current="page"' in page(alice, "?days=99999999999")


def test_charlies_numbers_are_not_alices(alice):
    shown(product("his", merchant="charlie"))

    assert "&lt;b&gt;his" not in page(alice)


def test_the_board_tells_what_was_looked_for_in_vain(alice):
    for number, words in enumerate(["hiking shoes"] * 5 + ["jane doe"] * 4):
        search = SearchRecord.objects.create(answer={"rest": words}, category="shoes", band="nothing_close")
        AgreedSearch.objects.create(search=search, searcher=str(number))
    product("oxford")

    text = page(alice)

    assert "5 searches, 5 people" in text
    assert "“hiking”" in text
    assert "You stock 0 of these." in text
    assert "jane" not in text


def test_the_boards_pictures_open_for_this_merchant_alone_and_not_by_name(alice, settings, tmp_path):
    settings.SEARCH_CROPS_ROOT = tmp_path
    (tmp_path / "2026-03-05").mkdir()
    for number in range(5):
        crop = f"2026-03-05/{number}.jpg"
        (tmp_path / crop).write_bytes(b"small picture")
        search = SearchRecord.objects.create(answer={}, category="shoes", band="nothing_close", crop=crop)
        AgreedSearch.objects.create(search=search, searcher=str(number))

    pictures = re.findall(r'<img src="([^"]*looked-for[^"]*)"', page(alice))

    assert len(pictures) == 5
    assert b"".join(alice.get(pictures[0]).streaming_content) == b"small picture"
    assert alice.get("/merchant/linden/insights/looked-for/2026-03-05%2F0.jpg/").status_code == 404
    charlie = Merchant.objects.create(slug="charlie", name="Charlie")
    Member.objects.create(user=get_user_model().objects.get(), merchant=charlie, role="viewer")
    assert alice.get(pictures[0].replace("/linden/", "/charlie/")).status_code == 404
    (tmp_path / "2026-03-05/4.jpg").unlink()
    assert {alice.get(address).status_code for address in pictures} == {200, 404}
