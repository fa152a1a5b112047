"""Sellers, the people who work for them, and the keys of their programs."""

import hashlib
import secrets

from django.conf import settings
from django.db import models

from catalog.models.querysets import ApiKeyQuerySet, MerchantQuerySet, WidgetKeyQuerySet


class Merchant(models.Model):
    """A seller with a catalog."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MerchantQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A person of a merchant: a viewer reads, an editor uploads and withdraws too, and an owner also keeps the keys."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "merchant"], name="one_role_per_user_and_merchant")]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.merchant_id}"

    @property
    def may_edit(self) -> bool:
        return self.role in (self.Role.OWNER, self.Role.EDITOR)

    @property
    def may_own(self) -> bool:
        return self.role == self.Role.OWNER


class ApiKey(models.Model):
    """A merchant's key to the API. The key is shown once; the table holds its hash."""

    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, help_text="How people tell their keys apart.")
    hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the whole key.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @classmethod
    def issue(cls, merchant: Merchant, *, name: str) -> "tuple[ApiKey, str]":
        """Returns a new key's row and the key itself, which can't be had again."""
        key = f"shop_{secrets.token_urlsafe(32)}"
        return cls.objects.create(merchant=merchant, name=name, prefix=key[:12], hash=cls.hash_of(key)), key

    @staticmethod
    def hash_of(key: str) -> str:
        """Returns what is stored of a key. It holds 256 random bits, so a fast hash is as safe as a slow one."""
        return hashlib.sha256(key.encode()).hexdigest()


class WidgetKey(models.Model):
    """A key that a shop's own pages carry in the open: it only searches, and only from pages of its origins."""

    key = models.CharField(max_length=48, unique=True)
    name = models.CharField(max_length=80, blank=True)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.CASCADE, null=True, blank=True, related_name="widget_keys", help_text="Empty: all."
    )
    origins = models.JSONField(help_text='Origins of pages, like ["https://shop.example"].')
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = WidgetKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name or self.key

    @staticmethod
    def new_key() -> str:
        return f"pub_{secrets.token_urlsafe(24)}"
