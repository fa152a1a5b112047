"""Brings a merchant's feed into the shop: rows first, then their pictures into the index."""

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from django.db import DatabaseError
from tqdm import tqdm

from catalog.feeds import Feed, RowError
from catalog.indexing.index import IndexReport, index_all
from catalog.management.error_lists import ErrorFile, table
from catalog.models import Merchant, ProductImage, RemotePicture
from catalog.uploads.imports import ImportReport, Source, import_rows, open_source
from catalog.uploads.remote_pictures import fetch_due
from shop_search.errors import ShopSearchError

SHOWN_ERRORS = 20
_POLL_S = 0.5


class Command(BaseCommand):
    help = (
        "Imports a feed with its pictures: Google Merchant CSV, TSV or XML, Shopify CSV, JSON lines, or a zip. "
        "Rows are keyed by merchant and id: importing again changes only what changed, and goes on after an "
        "interruption. Exits with 1 when not one row could be taken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--merchant", required=True, metavar="SLUG", help="made if there is none of this name")
        parser.add_argument(
            "--images", type=Path, metavar="DIR", help="where the pictures are (default: beside FILE or in it)"
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            type=_pair,
            metavar="OURS=THEIRS",
            help="take the feed's column THEIRS for our OURS, like image_link=picture; may be repeated",
        )
        parser.add_argument("--currency", default="", metavar="ISO", help="of prices that name none, like EUR")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")
        parser.add_argument("--no-index", action="store_true", help="leave the pictures to a running worker")
        parser.add_argument("--errors", type=Path, metavar="CSV", help="write every row error to this file")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        indexed = IndexReport()
        try:
            with open_source(
                options["file"],
                images_dir=options["images"],
                columns=dict(options["column"]),
                currency=options["currency"],
            ) as source:
                feed = source.feed
                self._say_columns(feed)
                merchant = _merchant(options["merchant"], is_dry=options["dry_run"])
                report, errors = self._import(source, merchant, options)
            if not (options["dry_run"] or options["no_index"]):
                indexed = self._index()
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            message = "Stopped. What was imported is kept; the same command goes on from here."
            raise CommandError(message, returncode=130) from None
        self._say_errors(report.errors, errors, options["errors"])
        if options["json"]:
            self.stdout.write(
                json.dumps(_document(feed, report, indexed, options, time.monotonic() - started), indent=2)
            )
        else:
            self.stdout.write(_summary(report, indexed, is_dry=options["dry_run"]))
        if report.failed and not report.kept:
            raise CommandError("Not one row could be imported.")

    def _say(self, text: str) -> None:
        self.stderr.write(text, str)  # in no color: Django prints standard error in red, and most of this is no error

    def _say_columns(self, feed: Feed) -> None:
        used = ", ".join(
            ours if ours == theirs else f"{ours} from {theirs!r}" for ours, theirs in feed.columns.used.items()
        )
        self._say(f"Columns: {used}.")
        if feed.columns.unknown:
            self._say(f"Not used: {', '.join(feed.columns.unknown)}.")

    def _import(self, source: Source, merchant: Merchant, options: dict[str, Any]) -> tuple[ImportReport, int]:
        """Returns the report and how many errors there were; the report keeps the first of them."""
        count = 0
        with ExitStack() as stack:
            file = stack.enter_context(ErrorFile(options["errors"])) if options["errors"] else None
            bar = stack.enter_context(_bar("Rows", source.feed.most_rows, "row"))

            def progress(batch: ImportReport) -> None:
                nonlocal count
                count += len(batch.errors)
                bar.update(batch.rows)
                if file is not None:
                    file.write(batch.errors)

            report = import_rows(
                source.feed,
                merchant=merchant,
                pictures=source.pictures,
                column_name=source.feed.columns.name,
                dry_run=options["dry_run"],
                progress=progress,
            )
        return report, count

    def _index(self) -> IndexReport:
        """Fetches and indexes until nothing is pending. A worker may take part: then we wait for its share. A server
        that is to be asked again later is left to the worker."""
        if RemotePicture.objects.due().exists():
            with _bar("Downloads", RemotePicture.objects.due().count(), "picture") as bar:
                while fetched := fetch_due():
                    bar.update(fetched)
        total, left = IndexReport(), ProductImage.objects.due().count()
        with _bar("Pictures", left, "picture") as bar:

            def progress(batch: IndexReport) -> None:
                bar.update(batch.indexed + batch.failed)

            while True:
                total += index_all(progress=progress)
                if not ProductImage.objects.due().exists():
                    return total
                time.sleep(_POLL_S)

    def _say_errors(self, errors: Sequence[RowError], count: int, file: Path | None) -> None:
        if not errors:
            return
        self._say(table(errors[:SHOWN_ERRORS]))
        if count > SHOWN_ERRORS:
            more = f"… and {count - SHOWN_ERRORS} more."
            self._say(more if file else f"{more} --errors FILE writes them all.")
        if file:
            self._say(f"All {count} are in {file}.")


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise ArgumentTypeError(f"{text!r} is not OURS=THEIRS, like image_link=picture")
    return ours.strip(), theirs


def _merchant(slug: str, *, is_dry: bool) -> Merchant:
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise CommandError(f"{slug!r} is no merchant's slug: letters, digits, hyphens and underscores only.") from error
    name = slug.replace("-", " ").replace("_", " ").title()
    if is_dry:
        return Merchant.objects.filter(slug=slug).first() or Merchant(slug=slug, name=name)
    return Merchant.objects.get_or_create(slug=slug, defaults={"name": name})[0]


def _bar(what: str, total: int, unit: str) -> Any:
    # disable=None: no bar where nobody watches.
    return tqdm(total=total, desc=what, unit=f" {unit}s", file=sys.stderr, disable=None, dynamic_ncols=True)


def _summary(report: ImportReport, indexed: IndexReport, *, is_dry: bool) -> str:
    would = "Would be: " if is_dry else ""
    lines = [
        f"{would}{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.failed} failed."
    ]
    if indexed.indexed or indexed.failed:
        reused = f" ({indexed.reused} known by their content)" if indexed.reused else ""
        lines.append(f"{indexed.indexed} pictures indexed{reused}, {indexed.failed} failed.")
    return "\n".join(lines)


def _document(
    feed: Feed, report: ImportReport, indexed: IndexReport, options: dict[str, Any], seconds: float
) -> dict[str, Any]:
    counts = {name: getattr(report, name) for name in ("rows", "added", "changed", "unchanged", "failed")}
    return {
        "merchant": options["merchant"],
        "format": feed.format,
        "dry_run": options["dry_run"],
        "columns": feed.columns.used,
        "unknown_columns": list(feed.columns.unknown),
        **counts,
        "errors": [asdict(error) for error in report.errors],
        "images": asdict(indexed),
        "seconds": round(seconds, 2),
    }
