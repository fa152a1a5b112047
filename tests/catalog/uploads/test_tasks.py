"""An upload that was accepted calls a worker through the tasks API; a call that is lost loses nothing."""

import pytest
from django_tasks_db.models import DBTaskResult

from catalog.jobs.queues import do_next_task, waiting
from catalog.models import Merchant, Product, Upload
from catalog.uploads import tasks
from catalog.uploads.accept import accept_upload
from catalog.uploads.work import do_next_upload
from tests.catalog.shop import open_shop

pytestmark = pytest.mark.django_db

FEED = (
    b"id,title,price,image_link\nA,Shoe,10 EUR,https://shop.example/a.jpg\nB,Boot,20 EUR,https://shop.example/b.jpg\n"
)


@pytest.fixture
def merchant(settings, tmp_path) -> Merchant:
    settings.UPLOADS_ROOT = tmp_path / "uploads"
    return open_shop(settings, tmp_path).merchant


def test_the_call_makes_a_worker_do_the_upload(merchant, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        upload = accept_upload(merchant, "feed.csv", [FEED])
    assert waiting(tasks.QUEUE) == 1

    assert do_next_task(tasks.QUEUE)

    upload.refresh_from_db()
    assert (upload.status, Product.objects.count()) == ("done", 2)
    assert DBTaskResult.objects.get().return_value == 1


def test_a_call_that_comes_when_all_is_done_does_nothing(merchant, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        accept_upload(merchant, "feed.csv", [FEED])
    assert do_next_upload()

    assert do_next_task(tasks.QUEUE)

    assert DBTaskResult.objects.get().return_value == 0
    assert Product.objects.count() == 2


def test_an_upload_is_accepted_though_the_queue_is_out_of_reach(
    merchant, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def refuse(*args: object, **options: object) -> None:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(type(tasks.take_uploads), "enqueue", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        upload = accept_upload(merchant, "feed.csv", [FEED])

    assert Upload.objects.get() == upload
    assert "No worker can be called" in caplog.text
    assert do_next_upload()
    assert Product.objects.count() == 2
