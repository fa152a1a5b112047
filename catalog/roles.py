"""The groups that a shop's people are put into, and what each may do. A migration makes them."""

from typing import Any

READ, REVIEW, OPERATE = "catalog.view_verdict", "catalog.review", "catalog.operate"

ADMINS, REVIEWERS, READERS = "Shop admins", "Reviewers", "Readers"
# Plain records that admins keep in Django's admin; all others can only be looked at there.
_KEPT = ("merchant", "member", "category", "product")
# Permissions of our own and the table that each belongs to.
_OF_TABLE = {"view_verdict": "verdict", "review": "verdict", "operate": "job"}


def permissions_of(group: str) -> list[tuple[str, str]]:
    """Returns (codename, table) of each permission that a group has."""
    names = {
        READERS: ["view_verdict"],
        REVIEWERS: ["view_verdict", "review"],
        ADMINS: ["view_verdict", "review", "operate"],
    }[group]
    own = [(name, _OF_TABLE[name]) for name in names]
    if group == ADMINS:
        own += [(f"{verb}_{table}", table) for table in _KEPT for verb in ("view", "change")]
        own += [("add_member", "member"), ("delete_member", "member"), ("add_merchant", "merchant")]
        own += [("view_auditentry", "auditentry"), ("view_job", "job")]
    return own


def make_groups(apps: Any) -> None:
    """Makes the groups, or gives those that are there what they lack. `apps` is a registry, of now or a migration's.

    Permissions are made too where they are missing: Django makes them only after all migrations.
    """
    content_type = apps.get_model("contenttypes", "ContentType")
    permission = apps.get_model("auth", "Permission")
    group = apps.get_model("auth", "Group")
    names = {"review": "Can review match quality", "operate": "Can operate the shop: run jobs, promote models, curate"}
    for name in (ADMINS, REVIEWERS, READERS):
        found, _ = group.objects.get_or_create(name=name)
        for codename, table in permissions_of(name):
            of, _ = content_type.objects.get_or_create(app_label="catalog", model=table)
            verb, _, rest = codename.partition("_")
            words = names.get(codename, f"Can {verb} {rest}")
            one, _ = permission.objects.get_or_create(codename=codename, content_type=of, defaults={"name": words})
            found.permissions.add(one)
