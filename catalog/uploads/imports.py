"""A merchant's feed, start to end.

    rows -> batches -> pictures checked and stored -> in one transaction: compare, write -> report

A batch that is committed is acknowledged: nothing that happens later loses it, and importing the same feed again
changes nothing, so after a crash one starts it again. Rows are keyed by (merchant, SKU) and taken whole or not at all:
a row whose main picture can't be read leaves its product as it was. What the vector store must hear of is noted in the
same transaction; `catalog.indexing.index` tells it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from django.db import transaction

from catalog.feeds import Feed, FeedRow, RowError, open_feed
from catalog.feeds.archive import open_archive
from catalog.feeds.workbook_parts import is_workbook
from catalog.feeds.zips import is_zip
from catalog.models import Merchant, ProductImage, Upload
from catalog.pictures.blocked import among, current_version, refusal
from catalog.pictures.files import (
    Awaited,
    Picture,
    PictureArchive,
    PictureFolder,
    PictureSource,
    load_pictures,
    web_address,
)
from catalog.uploads.product_changes import Change, Wanted, changes_of, existing_products, write
from catalog.uploads.quotas import Allowance
from catalog.uploads.remote_pictures import look_up
from catalog.words.category_words import CategoryBook, meaning_of
from shop_search.errors import InputError

BATCH_ROWS = 200
MAX_ERRORS = 1000  # that a report keeps; `progress` sees them all


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, in rows. Warnings are among the errors; their rows were kept."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: tuple[RowError, ...] = ()

    @property
    def rows(self) -> int:
        return self.added + self.changed + self.unchanged + self.failed

    @property
    def kept(self) -> int:
        return self.added + self.changed + self.unchanged

    def __add__(self, other: "ImportReport") -> "ImportReport":
        return ImportReport(
            self.added + other.added,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.failed + other.failed,
            (self.errors + other.errors)[:MAX_ERRORS],
        )


Progress = Callable[[ImportReport], None]
# Given a batch's report and last row inside the batch's own transaction: what it writes is committed with the batch.
Acknowledge = Callable[[ImportReport, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A feed file that was opened, and where the pictures are that it names."""

    feed: Feed
    pictures: PictureSource


@contextmanager
def open_source(
    path: Path,
    *,
    images_dir: Path | None = None,
    columns: Mapping[str, str] | None = None,
    currency: str = "",
) -> Iterator[Source]:
    """Opens a feed of any format, or a zip of one. Pictures are in `images_dir`, else in the zip or beside the feed.

    `currency` is that of prices which name none. Raises InputError as `catalog.feeds.open_feed` and
    `catalog.feeds.archive.open_archive` do.
    """
    if not is_zip(path) or is_workbook(path):
        feed = open_feed(path, columns=columns, currency=currency)
        yield Source(feed, PictureFolder(images_dir if images_dir is not None else path.parent))
        return
    with open_archive(path) as archive, TemporaryDirectory(prefix="feed-") as folder:
        copy = Path(folder) / PurePosixPath(archive.feed_name).name
        archive.copy_feed(copy)
        feed = open_feed(copy, columns=columns, currency=currency)
        yield Source(feed, PictureArchive(archive) if images_dir is None else PictureFolder(images_dir))


def import_feed(
    path: Path,
    *,
    merchant: Merchant,
    images_dir: Path | None = None,
    columns: Mapping[str, str] | None = None,
    currency: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Imports a feed file or a zip of one and returns what that did. Raises InputError as `open_source` does."""
    with open_source(path, images_dir=images_dir, columns=columns, currency=currency) as source:
        return import_rows(
            source.feed,
            merchant=merchant,
            pictures=source.pictures,
            column_name=source.feed.columns.name,
            dry_run=dry_run,
            progress=progress,
        )


def import_rows(
    rows: Iterable[FeedRow | RowError],
    *,
    merchant: Merchant,
    pictures: PictureSource,
    column_name: Callable[[str], str] = str,
    dry_run: bool = False,
    progress: Progress | None = None,
    acknowledge: Acknowledge | None = None,
    upload: Upload | None = None,
) -> ImportReport:
    """Imports rows and returns what that did; `progress` is given each batch's own report once it is committed.

    No two rows may have one SKU. `column_name` says what the feed calls a column of ours, for the errors. A dry run
    does all but writing; its merchant need not be saved. Raises ServiceError `media_unwritable`.
    """
    importer = _Importer(merchant, pictures, column_name, acknowledge, upload, is_dry=dry_run)
    total = ImportReport()
    for batch in _batches(rows):
        report = importer.take(batch)
        total += report
        if progress is not None:
            progress(report)
    return total


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: list[FeedRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    @property
    def last_row(self) -> int:
        return max([*(row.row for row in self.rows), *(error.row for error in self.errors)])


def _batches(found: Iterable[FeedRow | RowError]) -> Iterator[_Batch]:
    batch, row = _Batch(), 0
    for one in found:
        # A row's errors come one after another; cutting between two would count the row twice.
        if one.row != row and max(len(batch.rows), len(batch.errors)) >= BATCH_ROWS:
            yield batch
            batch = _Batch()
        row = one.row
        if isinstance(one, FeedRow):
            batch.rows.append(one)
            batch.errors.extend(one.warnings)
        else:
            batch.errors.append(one)
    if batch.rows or batch.errors:
        yield batch


class _Importer:
    """Takes one batch after another for one merchant."""

    def __init__(
        self,
        merchant: Merchant,
        pictures: PictureSource,
        column_name: Callable[[str], str],
        acknowledge: Acknowledge | None,
        upload: Upload | None,
        *,
        is_dry: bool,
    ) -> None:
        self._merchant = merchant
        self._acknowledge = acknowledge
        self._upload = upload
        self._pictures = pictures
        self._column_name = column_name
        self._is_dry = is_dry
        self._allowance = Allowance(merchant)

    def take(self, batch: _Batch) -> ImportReport:
        """Returns what the batch did. Pictures are handled before the transaction, which holds up other writers.

        A photo that was blocked or let in again meanwhile has the pictures handled once more.
        """
        while (report := self._taken(batch)) is None:
            pass
        return report

    def _taken(self, batch: _Batch) -> ImportReport | None:
        blocked = current_version()
        wanted, errors = self._with_pictures(batch.rows)
        everything = sorted([*batch.errors, *errors], key=lambda error: error.row)
        if self._is_dry and self._acknowledge is None:
            changes, over = self._allowance.admit(self._compare(wanted, CategoryBook()))
            return _report(changes, [*everything, *over])
        if not self._is_dry:
            _make_categories(wanted)
        with transaction.atomic():
            if not self._is_dry:
                # One import at a time for a merchant: where there are row locks, the second waits here.
                Merchant.objects.select_for_update().get(pk=self._merchant.pk)
                if current_version() != blocked:
                    return None
            categories = CategoryBook()  # of now: one may have been merged into another since the last batch
            changes, over = self._allowance.admit(self._compare(wanted, categories))
            everything = sorted([*everything, *over], key=lambda error: error.row)
            if not self._is_dry:
                write(changes, self._merchant, categories, upload=self._upload)
            report = _report(changes, everything)
            if self._acknowledge is not None:
                self._acknowledge(report, batch.last_row)
        return report

    def _compare(self, wanted: list[Wanted], categories: CategoryBook) -> list[Change]:
        products = existing_products(self._merchant, [one.row.sku for one in wanted])
        return [changes_of(one, products.get(one.row.sku), categories) for one in wanted]

    def _stored_pictures(self, rows: list[FeedRow]) -> dict[str, dict[str, Picture]]:
        """Returns SKU -> link -> the picture that the product has under it."""
        stored: dict[str, dict[str, Picture]] = defaultdict(dict)
        if not self._merchant._state.adding:
            own = ProductImage.objects.filter(product__merchant=self._merchant, product__sku__in=[r.sku for r in rows])
            columns = ("product__sku", "source", "sha256", "file", "width", "height")
            for sku, source, sha256, name, width, height in own.values_list(*columns):
                stored[sku][source] = Picture(sha256, name, width, height)
        return stored

    def _with_pictures(self, rows: list[FeedRow]) -> tuple[list[Wanted], list[RowError]]:
        """Returns the rows whose main picture is good, with their pictures, and what is wrong with the others."""
        stored = self._stored_pictures(rows)
        known = {picture.sha256: picture for links in stored.values() for picture in links.values()}
        links = [link for row in rows for link in _links(row)]
        addresses = {link for link in links if web_address(link) is not None}
        loaded: dict[str, Picture | Awaited | InputError] = {
            **load_pictures(
                [link for link in links if link not in addresses], self._pictures, known=known, keep=not self._is_dry
            ),
            **look_up(addresses, keep=not self._is_dry),
        }
        # Fetched earlier, and blocked since: nothing looked at its bytes now.
        blocked = among(one.sha256 for link in addresses if isinstance(one := loaded[link], Picture))
        for link in addresses:
            if isinstance(one := loaded[link], Picture) and one.sha256 in blocked:
                loaded[link] = refusal(link)
        wanted: list[Wanted] = []
        errors: list[RowError] = []
        for row in rows:
            found = [(link, _or_stored(loaded[link], stored.get(row.sku, {}).get(link))) for link in _links(row)]
            row_errors = [
                self._error(row, place, link, one)
                for place, (link, one) in enumerate(found)
                if isinstance(one, InputError)
            ]
            errors.extend(row_errors)
            if not any(error.is_fatal for error in row_errors):
                wanted.append(Wanted(row, tuple((link, one) for link, one in found if not isinstance(one, InputError))))
        return wanted, errors

    def _error(self, row: FeedRow, place: int, link: str, error: InputError) -> RowError:
        """Without its main picture a product can't be found, so that fails the row; without another it can."""
        column = self._column_name("additional_image_link" if place else "image_link")
        return RowError.of(row.row, column, error.code, error.message, link, is_fatal=place == 0)


def _make_categories(wanted: Sequence[Wanted]) -> None:
    """Makes the batch's new categories, each in a transaction of its own.

    They are every merchant's: made inside of two merchants' batches, in the order of their rows, each could wait for
    one that the other has made and not committed.
    """
    categories = CategoryBook()
    for one in wanted:
        categories.get_or_create(meaning_of(one.row.product_type, one.row.google_product_category))


def _links(row: FeedRow) -> list[str]:
    """Returns the names of the row's pictures, the main one first; an address on the web in full."""
    return [web_address(link) or link for link in (row.image_link, *row.additional_image_links)]


def _or_stored(found: Picture | Awaited | InputError, stored: Picture | None) -> Picture | Awaited | InputError:
    """A feed of new prices may come without the pictures: one of the same name that we have is still the picture."""
    is_missing = isinstance(found, Awaited) or (isinstance(found, InputError) and found.code == "image_not_found")
    return stored if stored is not None and is_missing else found


def _report(changes: Sequence[Change], errors: Sequence[RowError]) -> ImportReport:
    return ImportReport(
        added=sum(change.is_new for change in changes),
        changed=sum(change.is_change and not change.is_new for change in changes),
        unchanged=sum(not change.is_change for change in changes),
        failed=len({error.row for error in errors if error.is_fatal}),
        errors=tuple(errors),
    )
