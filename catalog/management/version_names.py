"""A version as commands name it: by its name, and by its kind where two have the same."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from catalog.models import Version

KINDS = [str(kind.value) for kind in Version.Kind]


def add_version(parser: ArgumentParser) -> None:
    """Adds the arguments that name a version."""
    parser.add_argument("name", metavar="NAME", help="the version's name")
    parser.add_argument("--kind", choices=KINDS, help="needed where versions of two kinds have this name")


def version_named(name: str, kind: str | None) -> Version:
    """Returns the version. Raises CommandError when there is none, or more than one."""
    found = list(Version.objects.filter(name=name, **({"kind": kind} if kind else {})))
    if not found:
        known = ", ".join(repr(one) for one in Version.objects.values_list("name", flat=True)[:20]) or "none"
        raise CommandError(f"There is no version {name!r}. There are: {known}.")
    if len(found) > 1:
        raise CommandError(f"Versions of {', '.join(one.kind for one in found)} have this name: add --kind.")
    return found[0]
