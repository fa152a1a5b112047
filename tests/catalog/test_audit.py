import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from catalog.audit import note
from catalog.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_an_entry_says_who_did_what_to_what_and_why():
    rae = User.objects.create_user("rae")

    entry = note(rae, "promote", "encoder v2", why="  wins by .03  ", details={"n": 200})

    kept = AuditEntry.objects.get(pk=entry.pk)
    assert (kept.by_name, kept.action, kept.subject, kept.why) == ("rae", "promote", "encoder v2", "wins by .03")
    assert kept.details == {"n": 200}
    assert kept.by_id == rae.pk


@pytest.mark.parametrize("nobody", [None, AnonymousUser()])
def test_what_no_person_did_says_what_did_it(nobody):
    assert note(nobody, "calibrate", "bands").by_name == "the schedule"
    assert note(nobody, "backup", "home", by_name="manage.py backup").by_name == "manage.py backup"


def test_an_entry_outlives_its_account():
    rae = User.objects.create_user("rae")
    note(rae, "block", "product 7")

    rae.delete()

    assert AuditEntry.objects.get().by_name == "rae"


def test_an_entry_is_neither_changed_nor_deleted():
    entry = note(None, "block", "product 7")
    entry.why = "never mind"
    for change in (
        entry.save,
        entry.delete,
        lambda: AuditEntry.objects.update(why="never mind"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(TypeError, match="never"):
            change()
    assert AuditEntry.objects.get().why == ""


def test_an_act_that_fails_leaves_no_entry():
    def act() -> None:
        with transaction.atomic():
            note(None, "block", "product 7")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert not AuditEntry.objects.exists()


def test_what_is_too_long_is_cut_rather_than_refused():
    entry = note(None, "a" * 100, "s" * 500, why="w" * 5000)
    entry.refresh_from_db()
    assert (len(entry.action), len(entry.subject), len(entry.why)) == (60, 200, 1000)
