"""Rebuilds the index from the database, or compares the two and mends the difference."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from catalog.bands.calibration import advice
from catalog.indexing.check import IndexCheck, check_index, drop_other_collections
from catalog.indexing.index import IndexReport, index_all, reindex
from catalog.models import ProductImage
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Embeds all pictures with the current models. A new encoder fills its own collection while searches use the "
        "old one, and they switch when it is complete; interrupted, it goes on where it stopped. With --check it only "
        "mends what differs between database and index. Exits with 1 when they still differ at the end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare database and index, and mend the difference")
        parser.add_argument("--no-repair", action="store_true", help="with --check: only compare")
        parser.add_argument("--prune", action="store_true", help="then delete the collections of other encoders")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, check: bool, no_repair: bool, prune: bool, **options: Any) -> None:
        if no_repair and not check:
            raise CommandError("--no-repair goes with --check.")
        before, done, dropped = None, IndexReport(), list[str]()
        try:
            if check:
                before = check_index(repair=not no_repair)
            if not no_repair:
                done = self._index(is_all=not check)
            if prune:
                dropped = drop_other_collections()
            after = check_index()
            advised = advice()
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None
        if options["json"]:
            document = {
                "before": _document(before) if before else None,
                "done": asdict(done),
                "dropped": dropped,
                "after": _document(after),
            }
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self.stdout.write("\n".join(_lines(before, done, dropped, after)))
        if advised:
            self.stderr.write(advised, str)
        if not after.agrees:
            raise CommandError("Database and index still differ. Run reindex_catalog --check, or see the lines above.")

    def _index(self, *, is_all: bool) -> IndexReport:
        # What is due is known only once work has begun: the number of all pictures bounds it.
        shown = ProductImage.objects.indexable()
        total = shown.count() if is_all else shown.filter(state=ProductImage.State.PENDING).count()
        with tqdm(total=total, desc="Pictures", unit=" pictures", file=sys.stderr, disable=None) as bar:

            def progress(batch: IndexReport) -> None:
                bar.update(batch.indexed + batch.failed)

            return reindex(progress=progress) if is_all else index_all(progress=progress, is_reindexing=True)


def _document(check: IndexCheck) -> dict[str, Any]:
    return {**asdict(check), "agrees": check.agrees}


def _lines(before: IndexCheck | None, done: IndexReport, dropped: list[str], after: IndexCheck) -> list[str]:
    lines = []
    if before is not None:
        lines.append(_differences(before))
    if not done.is_empty:
        lines.append(
            f"{done.indexed} pictures indexed, {done.failed} failed, "
            f"{done.retold} payloads replaced, {done.deleted} points deleted."
        )
    lines += [f"Deleted {name}." for name in dropped]
    lines.append(
        f"{after.images} pictures: {after.points} points in {after.collection}, "
        f"{after.pending} pending, {after.failed} failed."
    )
    if after.others:
        kept = ", ".join(f"{name} ({points} points)" for name, points in after.others.items())
        lines.append(f"Kept from other encoders: {kept}. --prune deletes them.")
    return lines


def _differences(check: IndexCheck) -> str:
    if check.agrees:
        return "Database and index agree."
    found = {
        "without a point": check.missing,
        "points of nothing for sale": check.stale,
        "made by another encoder or an earlier version": check.outdated,
        "points with an old payload": check.drifted,
    }
    words = [f"{count} {what}" for what, count in found.items() if count]
    if not check.is_searched:
        words.append("searches use another collection")
    return f"Database and index differed: {', '.join(words)}."
