"""Workers that claim while another has rows locked: nobody waits for a row that somebody else has, or takes it too."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog.models import Checkup, Delivery, Merchant, RemotePicture, Upload, Webhook

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no locks of rows: one writes at a time."),
]

WAITS_S = 20.0


@contextmanager
def locked(row: Any) -> Iterator[None]:
    """Another worker has the row in a transaction that lasts, as a batch of an upload does."""
    has_it, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                type(row).objects.select_for_update().get(pk=row.pk)
                has_it.set()
                may_end.wait(WAITS_S)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert has_it.wait(WAITS_S)
        yield
    finally:
        may_end.set()
        thread.join()


def at_once(claim: Callable[[], Any]) -> Any:
    """Returns what was claimed; fails where the claim waited for the other's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    began = monotonic()
    try:
        return claim()
    finally:
        assert monotonic() - began < WAITS_S
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 0")


def merchant(slug: str) -> Merchant:
    return Merchant.objects.create(slug=slug, name=slug.title())


def upload(owner: Merchant, **fields: Any) -> Upload:
    return Upload.objects.create(merchant=owner, status="running", **fields)


def test_an_upload_that_is_worked_on_keeps_no_worker_from_anothers():
    soon = timezone.now() + timedelta(minutes=1)
    working = upload(merchant("linden"), claimed_until=soon, claim="another's")
    waiting = upload(merchant("maison"))

    with locked(working):
        taken = at_once(Upload.objects.claim)

    assert taken == waiting


def test_a_merchants_second_upload_waits_for_the_first_even_while_that_is_locked():
    linden = merchant("linden")
    first = upload(linden)
    upload(linden)

    with locked(first):
        assert at_once(Upload.objects.claim) is None
    assert Upload.objects.claim() == first
    assert Upload.objects.claim() is None


def test_pictures_that_another_worker_is_taking_are_passed_by():
    now = timezone.now()
    made = RemotePicture.objects.wanted([f"https://pictures.example/{n}.png" for n in range(3)])
    RemotePicture.objects.update(next_try_at=now - timedelta(seconds=1))
    one = next(iter(made.values()))

    with locked(one):
        taken = at_once(lambda: RemotePicture.objects.claim(3, per_host=3))

    assert {row.pk for row in taken} == {row.pk for row in made.values()} - {one.pk}


def test_a_delivery_that_another_worker_is_taking_is_passed_by():
    webhook, _ = Webhook.make(merchant("linden"), "https://hooks.example/")
    now = timezone.now() - timedelta(seconds=1)
    first, second = (Delivery.objects.create(webhook=webhook, event="test", body="{}", next_try_at=now) for _ in "ab")

    with locked(first):
        taken = at_once(lambda: Delivery.objects.claim(10))

    assert taken == [second]


def test_a_checkup_that_another_worker_is_taking_is_passed_by():
    first, second = (Checkup.objects.ask(merchant(slug)) for slug in ("linden", "maison"))

    with locked(first):
        assert at_once(Checkup.objects.claim) == second


def test_many_workers_at_once_take_each_upload_once():
    waiting = {upload(merchant(f"merchant-{n}")).pk for n in range(12)}
    taken: list[Any] = []

    def work() -> None:
        try:
            while (one := Upload.objects.claim()) is not None:
                taken.append(one.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == len(set(taken))
    # Who met only locked rows went away with nothing; the next look finds what is left.
    while (one := Upload.objects.claim()) is not None:
        taken.append(one.pk)
    assert set(taken) == waiting
