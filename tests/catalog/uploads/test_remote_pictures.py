"""A feed's URLs become pictures. The network is a function: tests/catalog/test_fetch.py covers the real one."""

import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import AwaitedImage, Product, ProductImage, RemotePicture, Upload, UploadError
from catalog.pictures.fetch import AnswerStatusError, Fetched
from catalog.uploads.imports import ImportReport
from catalog.uploads.remote_pictures import PER_HOST, RETRIES, fetch_due
from shop_search.errors import InputError
from tests.catalog.shop import Shop, open_shop
from tests.fakes import picture

pytestmark = pytest.mark.django_db
ONE = "https://cdn.example/one.png"
TWO = "https://cdn.example/two.png"


class Web:
    """What is at each address: bytes, or an error. Counts what is asked for and notes the etags it was asked with."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | InputError] = {}
        self.asked: Counter[str] = Counter()
        self.etags: list[str] = []

    def __call__(self, url: str, *, etag: str = "", **limits: Any) -> Fetched | None:
        self.asked[url] += 1
        self.etags.append(etag)
        page = self.pages.get(url) or AnswerStatusError("cdn.example", 404, None)
        if isinstance(page, InputError):
            raise page
        own = f'"{hash(page)}"'
        return None if etag == own else Fetched(page, own)


@pytest.fixture
def web() -> Web:
    web = Web()
    web.pages = {ONE: picture(1), TWO: picture(2)}
    return web


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    return open_shop(settings, tmp_path)


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.failed


def add(shop: Shop, sku: str, link: str, **cells: str) -> None:
    shop.feed.rows.append({"id": sku, "title": sku, "image_link": link, "price": "1 EUR", **cells})


def pictures_of(sku: str) -> list[tuple[int, str, str]]:
    return list(ProductImage.objects.filter(product__sku=sku).values_list("position", "source", "state"))


def test_pictures_named_by_url_are_fetched_later_and_become_pending(shop, web):
    add(shop, "S-1", ONE, additional_image_link=TWO)

    assert counts(shop.upload()) == (1, 0, 0, 0)
    assert (pictures_of("S-1"), web.asked) == ([], Counter())

    assert fetch_due(fetch=web) == 2
    assert pictures_of("S-1") == [(0, ONE, "pending"), (1, TWO, "pending")]
    assert not AwaitedImage.objects.exists()
    assert fetch_due(fetch=web) == 0


def test_a_replay_changes_nothing_before_and_after_the_pictures_came(shop, web):
    add(shop, "S-1", ONE, additional_image_link=TWO)
    shop.upload()

    assert counts(shop.upload()) == (0, 0, 1, 0)
    fetch_due(fetch=web)
    assert counts(shop.upload()) == (0, 0, 1, 0)
    assert fetch_due(fetch=web) == 0


def test_an_address_is_fetched_once_however_many_products_show_it(shop, web):
    for n in range(5):
        add(shop, f"S-{n}", ONE)
    shop.upload()

    fetch_due(fetch=web)

    assert web.asked == {ONE: 1}
    assert ProductImage.objects.count() == 5
    add(shop, "S-6", ONE)
    shop.upload()
    assert pictures_of("S-6") == [(0, ONE, "pending")]  # at once: we have it


def test_an_address_without_its_scheme_is_fetched_by_https(shop, web):
    add(shop, "S-1", "//cdn.example/one.png")
    shop.upload()

    fetch_due(fetch=web)

    assert web.asked == {ONE: 1}
    assert counts(shop.upload()) == (0, 0, 1, 0)


def test_a_picture_that_has_not_changed_is_not_sent_again(shop, web):
    add(shop, "S-1", ONE)
    shop.upload()
    fetch_due(fetch=web)
    RemotePicture.objects.update(fetched_at=timezone.now() - timedelta(days=1))

    assert counts(shop.upload()) == (0, 0, 1, 0)
    ProductImage.objects.update(state="indexed")
    assert fetch_due(fetch=web) == 1

    assert web.etags[-1] != ""
    assert pictures_of("S-1") == [(0, ONE, "indexed")]


def test_a_picture_that_changed_at_its_address_is_shown_and_indexed_again(shop, web):
    add(shop, "S-1", ONE)
    shop.upload()
    fetch_due(fetch=web)
    ProductImage.objects.update(state="indexed")
    RemotePicture.objects.update(fetched_at=timezone.now() - timedelta(days=1))
    before = ProductImage.objects.get().sha256
    web.pages[ONE] = picture(7)
    shop.upload()

    fetch_due(fetch=web)

    image = ProductImage.objects.get()
    assert image.sha256 != before
    assert (image.state, image.payload_due is not None) == ("pending", True)


def test_a_busy_server_is_asked_again_later_and_what_is_gone_is_not(shop, web):
    web.pages[ONE] = AnswerStatusError("cdn.example", 503, 600.0)
    add(shop, "S-1", ONE)
    shop.upload()
    fetch_due(fetch=web)
    row = RemotePicture.objects.get()

    assert row.next_try_at is not None
    assert timedelta(seconds=590) < row.next_try_at - timezone.now() < timedelta(seconds=610)
    assert fetch_due(fetch=web) == 0

    web.pages[ONE] = AnswerStatusError("cdn.example", 404, None)
    RemotePicture.objects.update(next_try_at=timezone.now())
    fetch_due(fetch=web)
    row.refresh_from_db()
    assert (row.next_try_at, row.error_code) == (None, "image_url_unreachable")
    assert not AwaitedImage.objects.exists()


def test_after_a_busy_answer_a_server_is_left_alone(shop, web):
    for n in range(30):
        url = f"https://cdn.example/{n}.png"
        web.pages[url] = AnswerStatusError("cdn.example", 429, None)
        add(shop, f"S-{n}", url)
    shop.upload()

    fetch_due(fetch=web)

    assert sum(web.asked.values()) <= PER_HOST


def test_a_silent_server_is_given_up_after_so_many_tries(shop, web):
    web.pages[ONE] = InputError("image_url_timeout", "Too slow.")
    add(shop, "S-1", ONE)
    shop.upload()

    for _ in range(len(RETRIES) + 1):
        assert fetch_due(fetch=web) == 1
        RemotePicture.objects.exclude(next_try_at=None).update(next_try_at=timezone.now())

    assert fetch_due(fetch=web) == 0
    web.pages[ONE] = picture(1)
    shop.upload()  # the merchant sends it again: it gets new chances
    fetch_due(fetch=web)
    assert pictures_of("S-1") == [(0, ONE, "pending")]


def test_what_went_wrong_is_told_to_the_upload_by_row(shop, web):
    upload = Upload.objects.create(merchant=shop.merchant, name="feed.csv")
    add(shop, "S-1", "https://cdn.example/none.png")
    shop.upload()
    AwaitedImage.objects.update(upload=upload, row=2)

    fetch_due(fetch=web)

    error = UploadError.objects.get()
    assert (error.row, error.column, error.code, error.value, error.is_fatal) == (
        2, "image_link", "image_url_unreachable", "https://cdn.example/none.png", False,
    )  # fmt: skip
    assert Product.objects.filter(sku="S-1").exists()


def test_a_product_keeps_its_picture_until_the_new_one_has_come(shop, web):
    shop.feed.add("S-1")
    shop.upload()
    shop.feed.edit("S-1", {"image_link": ONE})

    assert counts(shop.upload()) == (0, 1, 0, 0)
    assert pictures_of("S-1") == [(0, "S-1.png", "pending")]
    fetch_due(fetch=web)

    assert pictures_of("S-1") == [(0, ONE, "pending")]


def test_a_place_that_no_longer_waits_gets_nothing(shop, web):
    add(shop, "S-1", ONE, additional_image_link=TWO)
    shop.upload()
    shop.feed.draw("own.png", seed=9)
    shop.feed.edit("S-1", {"image_link": "own.png", "additional_image_link": ""})
    shop.upload()

    fetch_due(fetch=web)

    assert pictures_of("S-1") == [(0, "own.png", "pending")]


def test_what_is_no_picture_is_refused_at_once(shop, web):
    web.pages[ONE] = b"GIF89a but not really"
    add(shop, "S-1", ONE)
    shop.upload()

    fetch_due(fetch=web)

    assert RemotePicture.objects.get().next_try_at is None
    assert pictures_of("S-1") == []


def test_few_requests_at_once_go_to_one_server(shop):
    open_now, most, lock = 0, 0, threading.Lock()

    def fetch(url: str, **limits: Any) -> Fetched:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        time.sleep(0.02)
        with lock:
            open_now -= 1
        return Fetched(picture(1))

    for n in range(16):
        add(shop, f"S-{n}", f"https://cdn.example/{n}.png")
    shop.upload()

    while fetch_due(fetch=fetch):
        pass

    assert 1 < most <= PER_HOST
    assert ProductImage.objects.count() == 16


def test_a_dry_run_fetches_nothing_and_notes_nothing(shop):
    add(shop, "S-1", ONE)

    assert counts(shop.upload(dry_run=True)) == (1, 0, 0, 0)

    assert not RemotePicture.objects.exists()


def test_a_server_that_says_how_long_is_left_alone_so_long_with_all_its_pictures(shop, web):
    links = [f"https://cdn.example/{n}.png" for n in range(60)]
    for n, link in enumerate(links):
        add(shop, f"S-{n}", link)
        web.pages[link] = AnswerStatusError("cdn.example", 503, 900.0)
    shop.upload()

    fetch_due(fetch=web)

    assert fetch_due(fetch=web) == 0
    assert RemotePicture.objects.filter(next_try_at__gt=timezone.now() + timedelta(seconds=850)).count() == 60
    assert sum(web.asked.values()) <= PER_HOST
    assert RemotePicture.objects.filter(attempts=1).count() == sum(web.asked.values())  # no try for what wasn't asked
