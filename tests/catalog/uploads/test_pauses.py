"""A full disk or a store that is down: the upload waits, says why, and goes on by itself."""

import errno
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from catalog.indexing.index import index_all
from catalog.models import Merchant, Pause, Product, ProductImage, Upload
from catalog.models.pauses import NOTED_FOR
from catalog.uploads.accept import accept_upload, upload_as_json
from catalog.uploads.work import do_next_upload
from embeddings import vector_store
from shop_search.errors import ServiceError
from tests.catalog.shop import use_fakes
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings, tmp_path) -> Upload:
    use_fakes(settings)
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore", "OPTIONS": {}}
    settings.MEDIA_ROOT, settings.UPLOADS_ROOT = tmp_path / "media", tmp_path / "uploads"
    feed = FeedFolder(tmp_path / "feed")
    feed.add_many(3)
    return accept_upload(Merchant.objects.create(slug="linden", name="Linden"), "feed.zip", [feed.zip()])


def told(upload: Upload):
    upload.refresh_from_db()
    return upload_as_json(upload, "")["paused"]


def test_an_upload_waits_while_the_disk_is_full_and_says_so(sent, settings):
    settings.DISK_RESERVE_BYTES = 1 << 60

    with pytest.raises(ServiceError) as caught:
        do_next_upload()

    assert caught.value.code == "disk_full"
    assert told(sent)["code"] == "disk_full"
    assert "disk is full" in told(sent)["message"]
    assert (sent.status, Product.objects.count()) == ("queued", 0)


def test_it_goes_on_by_itself_once_there_is_room(sent, settings):
    settings.DISK_RESERVE_BYTES = 1 << 60
    with pytest.raises(ServiceError):
        do_next_upload()
    settings.DISK_RESERVE_BYTES = 0

    assert do_next_upload()

    assert told(sent) is None
    assert (sent.status, sent.added) == ("done", 3)
    assert not Pause.objects.exists()


def test_a_disk_that_runs_full_over_a_picture_pauses_the_upload_too(sent, monkeypatch):
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("catalog.pictures.files._write_whole", full)
        with pytest.raises(ServiceError):
            do_next_upload()
        assert told(sent)["code"] == "disk_full"
        assert Product.objects.count() == 0

    assert do_next_upload()
    assert (told(sent), sent.status, sent.added) == (None, "done", 3)


def test_no_upload_is_accepted_that_would_fill_the_disk(sent, settings):
    settings.DISK_RESERVE_BYTES = 1 << 60

    with pytest.raises(ServiceError) as caught:
        accept_upload(sent.merchant, "feed.csv", [b"id,title,image_link\n"])

    assert caught.value.code == "disk_full"
    assert Upload.objects.count() == 1
    assert [path.name for path in Path(settings.UPLOADS_ROOT).iterdir()] == [str(sent.pk)]


def test_products_wait_while_the_store_is_down_and_are_indexed_once_it_is_back(sent, monkeypatch):
    do_next_upload()

    def down(*arguments: object) -> None:
        raise ServiceError("vector_store_unavailable", "The store at /secret/path can't be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(type(vector_store()), "upsert", down)
        with pytest.raises(ServiceError):
            index_all()
        paused = told(sent)
        assert paused["code"] == "vector_store_unavailable"
        assert "search index" in paused["message"]
        assert "secret" not in paused["message"]
        assert ProductImage.objects.filter(state="pending").count() == 3

    index_all()

    assert told(sent) is None
    assert ProductImage.objects.filter(state="indexed").count() == 3


def test_a_pause_keeps_its_beginning_and_ends_with_the_worker_that_told_it(sent):
    Pause.objects.note("uploads", ServiceError("media_unwritable", "No."))
    first = told(sent)["since"]
    Pause.objects.note("uploads", ServiceError("media_unwritable", "Still no."))
    assert told(sent)["since"] == first
    assert first is not None

    Pause.objects.update(seen_at=timezone.now() - NOTED_FOR - timedelta(seconds=1))

    assert told(sent) is None
