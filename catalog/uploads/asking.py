"""What a merchant is asked where a feed's columns are unclear, and what he has said before of the same header.

worker glances at the feed -> [said before: taken] -> asking -> merchant names the columns -> queued again
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.feeds.columns import COLUMNS, REQUIRED
from catalog.feeds.glance import Glance, header_key
from catalog.models import FeedMapping, Merchant, Upload
from catalog.uploads.accept import upload_of
from catalog.uploads.tasks import call_worker
from shop_search.errors import InputError


def said_before(merchant: Merchant, glance: Glance) -> dict[str, str]:
    """Returns what the merchant has said of a feed with these column names; nothing where it never came."""
    known = FeedMapping.objects.filter(merchant=merchant, header=glance.key).first()
    return dict(known.mapping) if known is not None else {}


def name_columns(merchant: Merchant, upload_id: UUID, mapping: Mapping[str, str]) -> Upload:
    """Returns the upload, queued again, with our columns -> the feed's as the merchant says, which the next such feed
    takes by itself.

    Raises InputError `upload_unknown`, `upload_not_asking`, `column_unknown`, `column_missing` or `columns_missing`.
    """
    with transaction.atomic():
        upload = upload_of(merchant, upload_id)
        seen = upload.columns.get("glance")
        if upload.status != Upload.Status.ASKING or seen is None:
            raise InputError("upload_not_asking", "This upload asks for no columns.")
        said = {ours: theirs for ours, theirs in mapping.items() if theirs}
        for ours, theirs in said.items():
            if ours not in COLUMNS:
                raise _wrong("column_unknown", f"{ours!r} is none of our columns, which are: {', '.join(COLUMNS)}.")
            if theirs not in seen["header"]:
                raise _wrong("column_missing", f"The feed has no column {theirs!r}.")
        used = {ours for ours, theirs in seen["used"].items() if theirs not in said.values()}
        missing = [ours for ours in REQUIRED if ours not in said and ours not in used]
        if missing:
            raise _wrong("columns_missing", _("Say which column is %s.") % ", ".join(missing))
        FeedMapping.objects.update_or_create(
            merchant=merchant, header=header_key(seen["header"]), defaults={"mapping": said}
        )
        asking = Upload.objects.filter(pk=upload.pk, status=Upload.Status.ASKING)
        if not asking.update(status=Upload.Status.QUEUED, mapping=said, ask_columns=False, columns={}):
            raise InputError("upload_not_asking", "This upload asks for no columns any more.")
        call_worker()
    return upload_of(merchant, upload_id)


def _wrong(code: str, message: str) -> InputError:
    return InputError(code, message, fields={"mapping": message})
