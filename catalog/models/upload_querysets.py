"""Uploads and the pictures they name by URL: who may see them, and which a worker may take."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from catalog.models import Merchant, RemotePicture, Upload

# The worker that holds an upload says so each third of this time; one that died has its upload taken over after it.
LEASE = timedelta(seconds=30)
UNFINISHED = ("queued", "checking", "running")
# Unfinished too, but no worker can go on before the merchant has said which columns are which.
ASKING = "asking"


class UploadQuerySet(models.QuerySet["Upload"]):
    def for_merchant(self, merchant: Merchant) -> UploadQuerySet:
        """Uploads that this merchant may see: every query on behalf of one starts here."""
        return self.filter(merchant=merchant)

    def unfinished(self) -> UploadQuerySet:
        return self.filter(status__in=UNFINISHED)

    def claim(self) -> Upload | None:
        """Takes the oldest upload that may go on, for this process alone; None when there is none.

        A merchant's uploads are done one after another, in the order they came: the last word must win.
        """
        now = timezone.now()
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        if not self.unfinished().filter(free).exists():  # looking costs nothing; claiming locks out other writers
            return None
        with transaction.atomic():
            # Looked at without a lock: an upload that is worked on is locked for as long as one of its batches lasts.
            oldest: dict[int, tuple[Any, datetime | None]] = {}
            rows = self.unfinished().order_by("created_at", "pk").values_list("merchant", "pk", "claimed_until")
            for merchant, pk, claimed_until in rows:
                oldest.setdefault(merchant, (pk, claimed_until))
            for pk, claimed_until in oldest.values():
                if claimed_until is not None and claimed_until >= now:
                    continue
                upload = self.unfinished().filter(free, pk=pk).select_for_update(skip_locked=True, of=("self",)).first()
                if upload is not None:
                    upload.claim, upload.claimed_until = secrets.token_hex(8), now + LEASE
                    upload.save(update_fields=["claim", "claimed_until"])
                    return upload
        return None

    def held(self, upload: Upload) -> UploadQuerySet:
        """This upload, if the claim that `upload` was taken with still holds."""
        return self.filter(pk=upload.pk, claim=upload.claim)


class RemotePictureQuerySet(models.QuerySet["RemotePicture"]):
    def at(self, urls: Iterable[str]) -> dict[str, RemotePicture]:
        """Returns the rows of these addresses, by address."""
        return {row.url: row for row in self.filter(url_hash__in={url_hash(url) for url in urls})}

    def wanted(self, urls: Iterable[str]) -> dict[str, RemotePicture]:
        """Returns a row for each address, made where there was none, each due to be fetched."""
        urls, now = set(urls), timezone.now()
        if not urls:
            return {}
        hosts = {url: (urlsplit(url).hostname or "")[:255] for url in urls}
        # Two uploads that name the same pictures make them in one order, so that neither waits for the other forever.
        self.bulk_create(
            [
                self.model(url_hash=url_hash(url), url=url, host=hosts[url], next_try_at=now)
                for url in sorted(urls, key=url_hash)
            ],
            ignore_conflicts=True,
        )
        self.filter(url_hash__in={url_hash(url) for url in urls}, next_try_at=None).update(next_try_at=now, attempts=0)
        return self.at(urls)

    def due(self) -> RemotePictureQuerySet:
        """Pictures that wait to be fetched now."""
        return self.filter(next_try_at__lte=timezone.now())

    def claim(self, limit: int, *, per_host: int) -> list[RemotePicture]:
        """Takes up to `limit` due pictures, at most `per_host` of one server; two workers never get the same one."""
        now = timezone.now()
        free = self.due().filter(Q(claimed_until=None) | Q(claimed_until__lt=now))
        if not free.exists():
            return []
        with transaction.atomic():
            taken: list[RemotePicture] = []
            hosts = list(free.order_by().values_list("host", flat=True).distinct())
            random.shuffle(hosts)  # so that a server with many pictures doesn't keep out the others
            for host in hosts[:limit]:
                rows = free.filter(host=host).select_for_update(skip_locked=True, of=("self",))
                rows = rows.order_by("next_try_at", "pk")
                taken.extend(rows[: min(per_host, limit - len(taken))])
            self.model._default_manager.filter(pk__in=[row.pk for row in taken]).update(
                claimed_until=now + timedelta(minutes=2)
            )
        return taken


def url_hash(url: str) -> str:
    """Returns what a remote picture is known by; an address may be longer than a database indexes."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
