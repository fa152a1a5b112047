"""The people of access tests: Alice and Bob of one shop, Charlie of another, Rae the admin, a reviewer and a reader."""

from django.apps import apps
from django.contrib.auth.models import Group, User

from catalog.models import Member, Merchant
from catalog.roles import ADMINS, READERS, REVIEWERS, make_groups

PASSWORD = "a long password"


def staff(name: str, group: str) -> User:
    """Returns a member of one of the console's groups."""
    make_groups(apps)  # a migration made them; a test that empties all tables took them away
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def member(name: str, merchant: str, role: str) -> User:
    """Returns a person who works for a merchant."""
    user = User.objects.create_user(name, password=PASSWORD)
    shop, _ = Merchant.objects.get_or_create(slug=merchant, defaults={"name": merchant.title()})
    Member.objects.create(user=user, merchant=shop, role=role)
    return user


def everybody() -> dict[str, User]:
    """Returns them all by their names."""
    return {
        "alice": member("alice", "atelier", Member.Role.OWNER),
        "bob": member("bob", "atelier", Member.Role.EDITOR),
        "charlie": member("charlie", "boutique", Member.Role.OWNER),
        "rae": staff("rae", ADMINS),
        "reviewer": staff("reviewer", REVIEWERS),
        "reader": staff("reader", READERS),
    }
