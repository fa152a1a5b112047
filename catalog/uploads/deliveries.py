"""Sends what webhooks are told: signed, to checked addresses, again and again until it is taken.

    claim -> sign (id, time and body) -> POST within seconds, to a public address, no redirects -> 2xx: delivered
                                                                                             -> else: later, 8 times

Signatures are those of standardwebhooks.com: HMAC-SHA256 over `id.timestamp.body`, which libraries check. What is
delivered twice (a worker killed between the answer and its commit) has the same id both times.
"""

import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpcore
from django.utils import timezone

from catalog.models import Delivery, Webhook
from catalog.pictures.fetch import checked_url, public_tls
from catalog.pictures.fetch_network import AddressForbiddenError, Deadline, PinnedBackend
from catalog.uploads.webhooks import end_webhook, webhook_network
from shop_search.errors import InputError

log = logging.getLogger("catalog.worker")

BATCH = 8
TIMEOUT_S = 10.0
USER_AGENT = b"ShopSearch-Webhook/1.0"
# Pauses after the first try, the second and so on; then it is given up, after a day.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21_600, 54_000))
LONGEST_WAIT = timedelta(hours=6)  # that a server may ask for
_GONE = 410  # the receiver says that it wants nothing any more
_MOST_READ = 64 * 1024  # bytes of an answer that nobody looks at


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try."""

    status: int | None  # None: there was no answer
    error: str = ""
    retry_after_s: int = 0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


Post = Callable[[str, dict[str, str], bytes], Answer]


def sign(webhook: Webhook, delivery_id: str, timestamp: int, body: bytes) -> str:
    """Returns the signature header: `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`."""
    signed = hmac.new(webhook.key, f"{delivery_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def post(url: str, headers: dict[str, str], body: bytes) -> Answer:
    """Returns what the address answered. Nothing is raised: a merchant's server may do anything."""
    network = webhook_network(url)
    try:
        target = checked_url(url, network)
        backend = PinnedBackend(network, Deadline(TIMEOUT_S))
        sent = [
            (b"Host", target.netloc),
            (b"User-Agent", USER_AGENT),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", str(len(body)).encode()),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ]
        address = httpcore.URL(scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path)
        with httpcore.ConnectionPool(network.tls or public_tls(), max_connections=1, network_backend=backend) as pool:
            with pool.stream("POST", address, headers=sent, content=body) as response:
                read = 0
                for chunk in response.iter_stream():
                    read += len(chunk)
                    if read > _MOST_READ:
                        break
                wait = {name.lower(): value for name, value in response.headers}.get(b"retry-after", b"")
                seconds = int(wait) if wait.isdigit() and len(wait) < 6 else 0
                return Answer(response.status, retry_after_s=seconds)
    except InputError:
        return Answer(None, "The address can't be used.")
    except AddressForbiddenError:
        return Answer(None, "The address is not on the public internet.")
    except (TimeoutError, httpcore.TimeoutException):
        return Answer(None, f"There was no answer within {TIMEOUT_S:g} s.")
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        return Answer(None, f"The server can't be reached: {str(error)[:100]}.")


def deliver_due(*, post: Post = post, limit: int = BATCH) -> int:
    """Sends up to `limit` deliveries that are due and returns how many; 0 when none was."""
    deliveries = Delivery.objects.claim(limit)
    for delivery in deliveries:
        _deliver(delivery, post)
    return len(deliveries)


def _deliver(delivery: Delivery, post: Post) -> None:
    now, started = timezone.now(), time.monotonic()
    body, timestamp = delivery.body.encode(), int(now.timestamp())
    headers = {
        "webhook-id": str(delivery.pk),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(delivery.webhook, str(delivery.pk), timestamp, body),
    }
    answer = post(delivery.webhook.url, headers, body)
    tried = {
        "at": now.isoformat().replace("+00:00", "Z"),
        "status": answer.status,
        "error": answer.error,
        "ms": round((time.monotonic() - started) * 1000),
    }
    tries = [*delivery.tries, tried]
    state, next_try = Delivery.State.DELIVERED, None
    if not answer.is_taken:
        pause = PAUSES[len(tries) - 1] if len(tries) <= len(PAUSES) and answer.status != _GONE else None
        state = Delivery.State.FAILED if pause is None else Delivery.State.PENDING
        if pause is not None:
            next_try = timezone.now() + max(pause, min(timedelta(seconds=answer.retry_after_s), LONGEST_WAIT))
        log.info("Webhook %s: %s %s", delivery.webhook_id, answer.status or "", answer.error)
    Delivery.objects.filter(pk=delivery.pk).update(state=state, tries=tries, next_try_at=next_try, claimed_until=None)
    if answer.status == _GONE:
        end_webhook(delivery.webhook, "gone")
