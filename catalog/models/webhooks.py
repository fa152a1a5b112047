"""Addresses of merchants' programs that are told when an upload has ended, and each telling."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from catalog.models.merchants import Merchant
from catalog.models.uploads import Upload

# A worker that died over a delivery leaves its claim; eight of ten seconds each take less.
CLAIM_LASTS = timedelta(minutes=3)


class Webhook(models.Model):
    """A merchant's address to tell. Its secret is shown once and kept nowhere: it is made anew from the salt and this
    installation's own key, so that who reads the table can't sign."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=1000)
    salt = models.CharField(max_length=24, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.url

    @classmethod
    def make(cls, merchant: Merchant, url: str) -> tuple[Webhook, str]:
        """Returns a new webhook's row and its secret."""
        made = cls.objects.create(merchant=merchant, url=url, salt=get_random_string(24))
        return made, made.secret

    @property
    def key(self) -> bytes:
        """The bytes that deliveries are signed with."""
        return salted_hmac(
            "catalog.webhook", f"{self.pk}:{self.salt}", secret=settings.SECRET_KEY, algorithm="sha256"
        ).digest()

    @property
    def secret(self) -> str:
        """The same as standardwebhooks.com writes it."""
        return f"whsec_{base64.b64encode(self.key).decode()}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> DeliveryQuerySet:
        now = timezone.now()
        free = Q(claimed_until=None) | Q(claimed_until__lt=now)
        return self.filter(free, state="pending", next_try_at__lte=now, webhook__ended_at=None)

    def claim(self, limit: int) -> list[Delivery]:
        """Takes up to `limit` due deliveries for this process alone."""
        if not self.due().exists():  # looking costs nothing; claiming locks out other writers
            return []
        with transaction.atomic():
            rows = self.due().select_for_update(skip_locked=True, of=("self",))
            taken = list(rows.order_by("next_try_at", "created_at").select_related("webhook")[:limit])
            self.model._default_manager.filter(pk__in=[row.pk for row in taken]).update(
                claimed_until=timezone.now() + CLAIM_LASTS
            )
        return taken


class Delivery(models.Model):
    """One thing that a webhook is told.

    pending ──2xx──> delivered
       └── refused or silent too often ──> failed
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries")
    body = models.TextField(help_text="As it is sent, each time the same.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    tries = models.JSONField(default=list, blank=True, help_text="Of each: at, status, error, ms.")
    next_try_at = models.DateTimeField(null=True, blank=True, db_index=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.event} ({self.state})"
