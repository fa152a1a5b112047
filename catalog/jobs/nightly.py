"""Asks each night for the jobs that are due then: whichever worker comes first, and no second one."""

import logging
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.jobs.asking import ask
from catalog.jobs.registry import Kind, kinds
from catalog.models import Job, Night
from shop_search.errors import ShopSearchError

log = logging.getLogger("catalog.worker")

# A worker that starts later than this after the hour leaves the jobs to the next night: a shop that is started in the
# morning has shoppers to answer.
WINDOW = timedelta(hours=3)
KEPT = timedelta(days=90)


def time_of(setting: str) -> time | None:
    """Returns the time of day that SHOP_SEARCH_NIGHTLY names; None for `off`. Raises ValueError for anything else."""
    words = setting.strip().lower()
    if words in {"", "off", "no", "0"}:
        return None
    hour, _, minute = words.partition(":")
    return time(int(hour), int(minute or "0"))


def ask_for_the_night(now: datetime | None = None) -> list[Job]:
    """Returns the jobs that were asked for, by this call: none when it isn't time, or when another was first."""
    at = time_of(settings.NIGHTLY)
    if at is None:
        return []
    now = now or timezone.now()
    # The night that began last: today's, or yesterday's when its hour is just before midnight.
    begins = datetime.combine(now.date(), at, tzinfo=now.tzinfo)
    if begins > now:
        begins -= timedelta(days=1)
    if now - begins > WINDOW or Night.objects.filter(day=begins.date()).exists():
        return []
    try:
        with transaction.atomic():
            night = Night.objects.create(day=begins.date())
            asked = [ask(kind.name) for kind in kinds().values() if _is_due(kind)]
            night.jobs = [job.kind for job in asked]
            night.save(update_fields=["jobs"])
            Night.objects.filter(day__lt=begins.date() - KEPT).delete()
    except IntegrityError:
        return []
    log.info("Nightly jobs: %s.", ", ".join(night.jobs) or "none is due")
    return asked


def _is_due(kind: Kind) -> bool:
    """A kind that can't say whether it is due, because a model or the store is down, doesn't keep the others back."""
    try:
        return kind.nightly is not None and kind.nightly()
    except ShopSearchError as error:
        log.warning("%s is left out this night: %s", kind.title, error.message)
        return False
