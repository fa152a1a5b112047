import threading
import uuid

import pytest

from catalog.models import Impression, SearchRecord
from catalog.search import recording
from catalog.search.answers import keep, recall
from catalog.search.feedback import give_feedback
from catalog.search.questions import Question
from catalog.search.recording import record_soon, settle
from catalog.search.search import search
from tests.fakes import picture

# The thread that writes has a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def later(settings):
    settings.SEARCH_RECORDS_LATER = True


def wait(event: threading.Event) -> None:
    event.wait(10)


def test_nobody_waits_until_a_search_is_written_down(later):
    may_write, search_id = threading.Event(), uuid.uuid4()
    written = []

    record_soon(search_id, lambda: written.append(may_write.wait(10)))
    assert not written
    may_write.set()
    settle(search_id)

    assert written == [True]


def test_who_follows_a_link_sooner_than_it_is_written_waits_for_it(later):
    may_write, search_id = threading.Event(), uuid.uuid4()
    record_soon(search_id, lambda: wait(may_write))
    follower = threading.Thread(target=settle, args=[search_id])
    follower.start()
    follower.join(0.1)
    assert follower.is_alive()
    may_write.set()
    follower.join(10)

    assert not follower.is_alive()


def test_a_search_that_can_not_be_written_down_stops_no_other(later, caplog):
    def fail() -> None:
        raise OSError("disk full")

    broken, fine = uuid.uuid4(), uuid.uuid4()
    written = []
    record_soon(broken, fail)
    record_soon(fine, lambda: written.append(True))
    settle(broken)
    settle(fine)

    assert written == [True]
    assert "was answered but not written down" in caplog.text


def test_searches_wait_with_a_database_that_is_slow(later, monkeypatch):
    monkeypatch.setattr(recording, "MOST_WAITING", 1)
    may_write, first = threading.Event(), uuid.uuid4()
    record_soon(first, lambda: wait(may_write))
    written = []

    record_soon(uuid.uuid4(), lambda: written.append(threading.current_thread()))

    assert written == [threading.current_thread()]
    may_write.set()
    settle(first)


def test_the_link_and_feedback_find_a_search_that_was_just_answered(shelf, later):
    shoe = shelf.put("shoe", 1)
    answer = search(Question(image=picture(1)))
    keep(answer)

    assert recall(answer.id)["id"] == str(answer.id)
    assert give_feedback(answer.id, product=shoe.pk, verdict="like").search_id == answer.id
    assert Impression.objects.filter(search=answer.id).count() == 1
    assert SearchRecord.objects.count() == 1
