"""Merchants' programs are told when an upload has ended: which addresses, and what they are told.

upload ends -> a delivery for each webhook, in the same transaction -> the worker sends it (deliveries)
"""

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.utils import timezone

from catalog.models import Delivery, Merchant, Upload, Webhook
from catalog.pictures.fetch import checked_url
from catalog.pictures.fetch_network import Network
from shop_search.errors import InputError

MOST_WEBHOOKS = 10  # of one merchant
FINISHED = "upload.finished"
TEST = "webhook.test"
_WEB = frozenset({80, 443, 8080, 8443})  # a program's own server is seldom a shop's


def webhook_network(url: str) -> Network:
    """Returns what a delivery to this address may reach: public addresses, or a host that settings name as allowed."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return Network(ports=_WEB)
    if f"{parts.hostname}:{port}" in settings.WEBHOOK_PRIVATE_HOSTS:
        return Network(ports=frozenset({port}), is_allowed=lambda address: True)
    return Network(ports=_WEB)


def make_webhook(merchant: Merchant, url: str) -> tuple[Webhook, str]:
    """Returns a new webhook and its secret, which isn't shown again.

    Raises InputError `webhook_url_invalid` or `webhooks_too_many`.
    """
    url = url.strip()
    try:
        if len(url) > 1000:
            raise InputError("", "it has more than 1000 characters")
        checked_url(url, webhook_network(url))
    except InputError as error:
        message = (
            "Give an address on the public internet that begins with https:// (or http://), without a user name, on "
            "port 443, 80, 8443 or 8080."
        )
        raise InputError("webhook_url_invalid", message, fields={"url": message}) from error
    if active_webhooks(merchant).count() >= MOST_WEBHOOKS:
        raise InputError("webhooks_too_many", f"A merchant may have {MOST_WEBHOOKS} webhooks. End one first.")
    return Webhook.make(merchant, url)


def active_webhooks(merchant: Merchant) -> Any:
    """Returns the merchant's webhooks that are told."""
    return Webhook.objects.filter(merchant=merchant, ended_at=None)


def webhook_of(merchant: Merchant, webhook_id: int) -> Webhook:
    """Returns one of the merchant's webhooks. Raises InputError `webhook_unknown`, for another's too."""
    found = Webhook.objects.filter(merchant=merchant, pk=webhook_id).first()
    if found is None:
        raise InputError("webhook_unknown", f"There is no webhook {webhook_id}.")
    return found


def end_webhook(webhook: Webhook, why: str = "") -> None:
    """Tells it nothing any more; what it was told stays on the list."""
    Webhook.objects.filter(pk=webhook.pk, ended_at=None).update(ended_at=timezone.now(), ended_why=why)


def announce(upload: Upload) -> None:
    """Notes for each webhook that the upload has ended. Call it in the transaction that ends the upload."""
    webhooks = list(active_webhooks(upload.merchant))
    if webhooks:
        upload.refresh_from_db()
        data = {
            "id": str(upload.pk),
            "name": upload.name,
            "status": upload.status,
            "dry_run": upload.dry_run,
            "rows_done": upload.rows_done,
            "rows_failed": upload.rows_failed,
            "added": upload.added,
            "changed": upload.changed,
            "unchanged": upload.unchanged,
            "withdrawn": upload.withdrawn,
            "problem": {"code": upload.error_code, "message": upload.error} if upload.error_code else None,
            "url": f"/api/v1/uploads/{upload.pk}/",
            "errors_url": f"/api/v1/uploads/{upload.pk}/errors.csv",
        }
        Delivery.objects.bulk_create([_delivery(webhook, FINISHED, data, upload) for webhook in webhooks])


def send_test(webhook: Webhook) -> Delivery:
    """Returns a delivery that says nothing but that it came; the worker sends it."""
    delivery = _delivery(webhook, TEST, {"webhook": webhook.pk})
    delivery.save(force_insert=True)
    return delivery


def send_again(merchant: Merchant, delivery_id: UUID) -> Delivery:
    """Sends a delivery anew, at once. Raises InputError `delivery_unknown`."""
    delivery = Delivery.objects.filter(pk=delivery_id, webhook__merchant=merchant, webhook__ended_at=None).first()
    if delivery is None:
        raise InputError("delivery_unknown", f"There is no delivery {delivery_id} to a webhook that is told.")
    Delivery.objects.filter(pk=delivery.pk).exclude(state=Delivery.State.PENDING).update(
        state=Delivery.State.PENDING, next_try_at=timezone.now(), tries=[]
    )
    delivery.refresh_from_db()
    return delivery


def _delivery(webhook: Webhook, event: str, data: dict[str, Any], upload: Upload | None = None) -> Delivery:
    now = timezone.now()
    body = {"type": event, "timestamp": now.isoformat().replace("+00:00", "Z"), "data": data}
    return Delivery(
        id=uuid4(),
        webhook=webhook,
        event=event,
        upload=upload,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        next_try_at=now,
    )


def webhook_as_json(webhook: Webhook) -> dict[str, Any]:
    """Returns what programs are told of a webhook; never its secret."""
    return {
        "id": webhook.pk,
        "url": webhook.url,
        "created_at": _moment(webhook.created_at),
        "ended_at": _moment(webhook.ended_at),
        "ended_why": webhook.ended_why,
    }


def delivery_as_json(delivery: Delivery) -> dict[str, Any]:
    """Returns what programs are told of a delivery and each of its tries."""
    return {
        "id": str(delivery.pk),
        "event": delivery.event,
        "upload": str(delivery.upload_id) if delivery.upload_id else None,
        "state": delivery.state,
        "tries": delivery.tries,
        "next_try_at": _moment(delivery.next_try_at),
        "created_at": _moment(delivery.created_at),
    }


def _moment(when: Any) -> str | None:
    return when.isoformat().replace("+00:00", "Z") if when is not None else None
