import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from catalog.roles import ADMINS, OPERATE, READ, READERS, REVIEW, REVIEWERS, make_groups

pytestmark = pytest.mark.django_db


def has(group: str) -> set[str]:
    found = Permission.objects.filter(group__name=group).values_list("content_type__app_label", "codename")
    return {f"{app}.{name}" for app, name in found}


@pytest.fixture(autouse=True)
def groups():
    make_groups(apps)  # the migration made them, and a test that empties the tables may have come before


def test_readers_read_reviewers_review_and_admins_do_all():
    own = {READ, REVIEW, OPERATE}
    assert has(READERS) & own == {READ}
    assert has(REVIEWERS) & own == {READ, REVIEW}
    assert has(ADMINS) & own == own


def test_admins_keep_plain_records_and_nobody_changes_what_was_said_or_noted():
    assert "catalog.change_merchant" in has(ADMINS)
    for name in (ADMINS, REVIEWERS, READERS):
        assert not {one for one in has(name) if one.split("_")[0] in {"catalog.change", "catalog.delete"}} & {
            f"catalog.{verb}_{table}" for verb in ("change", "delete") for table in ("auditentry", "verdict", "job")
        }


def test_making_them_again_gives_back_what_is_missing_and_doubles_nothing():
    Group.objects.get(name=REVIEWERS).permissions.clear()
    before = Permission.objects.count()

    make_groups(apps)

    assert REVIEW in has(REVIEWERS)
    assert Permission.objects.count() == before
    assert Group.objects.filter(name__in=[ADMINS, REVIEWERS, READERS]).count() == 3
