"""Webhooks: a merchant's program is told when an upload has ended, signed, until it has taken it."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from catalog.models import Delivery, Merchant, Upload, Webhook
from catalog.uploads.accept import UploadOptions, accept_upload, cancel_upload
from catalog.uploads.deliveries import PAUSES, deliver_due, post
from catalog.uploads.webhooks import make_webhook, send_again, send_test
from catalog.uploads.work import do_next_upload
from shop_search.errors import InputError
from tests.feed_folder import FeedFolder

pytestmark = pytest.mark.django_db


@dataclass
class Program:
    """A merchant's program: takes what is posted, and answers with the next status."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?of=linden"


@pytest.fixture
def program(settings) -> Iterator[Program]:
    program = Program()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            program.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(program.statuses.pop(0) if len(program.statuses) > 1 else program.statuses[0])
            for name, value in program.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    program.port = server.server_address[1]
    settings.WEBHOOK_PRIVATE_HOSTS = [f"127.0.0.1:{program.port}"]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield program
    server.shutdown()
    server.server_close()


@pytest.fixture
def linden(settings, tmp_path) -> Merchant:
    settings.MEDIA_ROOT, settings.UPLOADS_ROOT = tmp_path / "media", tmp_path / "uploads"
    return Merchant.objects.create(slug="linden", name="Linden")


def upload(merchant: Merchant, tmp_path, **options) -> Upload:
    feed = FeedFolder(tmp_path / "feed")
    feed.add("S-1")
    feed.add("BAD", price="cheap")
    return accept_upload(merchant, "feed.zip", [feed.zip()], UploadOptions(**options))


def later(seconds: float = 100_000) -> None:
    """So much later."""
    Delivery.objects.update(next_try_at=F("next_try_at") - timedelta(seconds=seconds))


def is_genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As docs/uploads.md tells merchants to check it: these are its very lines."""
    guide = (Path(settings.BASE_DIR) / "docs" / "uploads.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    return bool(names["is_genuine"](secret, headers, body))


def test_a_program_is_told_of_an_upload_that_is_done(linden, program, tmp_path):
    _, secret = make_webhook(linden, program.url)
    sent = upload(linden, tmp_path)
    do_next_upload()

    assert deliver_due() == 1

    ((headers, body),) = program.taken
    told = json.loads(body)
    assert (told["type"], told["data"]["id"], told["data"]["status"]) == ("upload.finished", str(sent.pk), "done")
    assert (told["data"]["added"], told["data"]["rows_failed"]) == (1, 1)
    assert is_genuine(secret, headers, body)
    assert not is_genuine(secret, headers, body.replace(b'"added":1', b'"added":9'))
    assert not is_genuine(secret, {**headers, "webhook-timestamp": "1"}, body)
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    delivery = Delivery.objects.get()
    assert (delivery.state, [one["status"] for one in delivery.tries]) == ("delivered", [200])
    assert deliver_due() == 0


@pytest.mark.parametrize(("options", "status"), [({"on_error": "reject_all"}, "rejected"), ({"dry_run": True}, "done")])
def test_it_is_told_however_the_upload_ends(linden, program, tmp_path, options, status):
    make_webhook(linden, program.url)
    upload(linden, tmp_path, **options)
    do_next_upload()
    deliver_due()

    assert [json.loads(body)["data"]["status"] for _, body in program.taken] == [status]


def test_a_canceled_and_a_broken_upload_are_told_too(linden, program, tmp_path):
    make_webhook(linden, program.url)
    cancel_upload(linden, upload(linden, tmp_path).pk)
    accept_upload(linden, "photo.jpg", [b"\xff\xd8\xff\xe0"])
    do_next_upload()

    deliver_due()

    told = [json.loads(body)["data"] for _, body in program.taken]
    assert [one["status"] for one in told] == ["canceled", "failed"]
    assert told[1]["problem"]["code"] == "feed_unsupported"


def test_one_that_does_not_take_it_is_asked_again_later_with_the_same_id_and_body(linden, program, tmp_path):
    _, secret = make_webhook(linden, program.url)
    upload(linden, tmp_path)
    do_next_upload()
    program.statuses = [500, 302, 204]

    for _ in range(3):
        deliver_due()
        assert deliver_due() == 0  # not at once
        later()

    assert [one["status"] for one in Delivery.objects.get().tries] == [500, 302, 204]
    assert Delivery.objects.get().state == "delivered"
    assert len({(headers["webhook-id"], body) for headers, body in program.taken}) == 1
    assert all(is_genuine(secret, headers, body) for headers, body in program.taken)


def test_it_is_given_up_in_the_end_and_can_be_sent_again_by_hand(linden, program, tmp_path):
    make_webhook(linden, program.url)
    upload(linden, tmp_path)
    do_next_upload()
    program.statuses = [503]
    for _ in range(len(PAUSES) + 3):
        deliver_due()
        later()
    delivery = Delivery.objects.get()
    assert (delivery.state, len(delivery.tries), len(program.taken)) == ("failed", len(PAUSES) + 1, len(PAUSES) + 1)

    program.statuses = [200]
    send_again(linden, delivery.pk)
    deliver_due()

    assert Delivery.objects.get().state == "delivered"


def test_a_program_that_says_how_long_to_wait_is_left_alone_so_long(linden, program):
    webhook, _ = make_webhook(linden, program.url)
    send_test(webhook)
    program.statuses, program.headers = [429], {"Retry-After": "900"}

    deliver_due()

    assert Delivery.objects.filter(next_try_at__gt=timezone.now() + timedelta(seconds=800)).exists()


def test_a_program_that_is_gone_is_told_nothing_more(linden, program, tmp_path):
    webhook, _ = make_webhook(linden, program.url)
    send_test(webhook)
    program.statuses = [410]
    deliver_due()
    upload(linden, tmp_path)
    do_next_upload()

    assert deliver_due() == 0
    assert (Webhook.objects.get().ended_why, Delivery.objects.get().state) == ("gone", "failed")
    with pytest.raises(InputError):
        send_again(linden, Delivery.objects.get().pk)


def test_a_silent_server_is_one_more_try(linden, program, settings):
    webhook, _ = make_webhook(linden, program.url)
    Webhook.objects.update(url="http://127.0.0.1:9/hooks")
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1:9"]
    send_test(webhook)

    deliver_due()

    (tried,) = Delivery.objects.get().tries
    assert (tried["status"], Delivery.objects.get().state) == (None, "pending")
    assert "reached" in tried["error"]


@pytest.mark.parametrize(
    "url",
    ["ftp://shop.example/", "https://user:pw@shop.example/", "https://shop.example:22/", "nonsense", "", "x" * 2000],
)
def test_an_address_that_cannot_be_told_is_refused(linden, url):
    with pytest.raises(InputError) as caught:
        make_webhook(linden, url)

    assert caught.value.code == "webhook_url_invalid"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "169.254.169.254", "localhost", "10.0.0.1", "[::ffff:10.0.0.1]"]
)
def test_nothing_private_is_reached(linden, host):
    answer = post(f"http://{host}/", {}, b"{}")

    assert answer.status is None
    assert "public internet" in answer.error


def test_only_the_port_that_is_allowed_is_reached_on_a_private_host(linden, program):
    other = post(f"http://127.0.0.1:{program.port + 1}/", {}, b"{}")

    assert (other.status, post(program.url, {}, b"{}").status) == (None, 200)


def test_a_redirect_is_not_followed(linden, program):
    program.statuses, program.headers = [307], {"Location": "http://169.254.169.254/"}

    assert post(program.url, {}, b"{}").status == 307
    assert len(program.taken) == 1


def test_two_workers_send_it_once(linden, program):
    webhook, _ = make_webhook(linden, program.url)
    send_test(webhook)

    assert len(Delivery.objects.claim(10)) == 1
    assert deliver_due() == 0


def test_secrets_differ_and_are_in_no_table(linden, program):
    (first, secret), (second, other) = (make_webhook(linden, program.url) for _ in range(2))

    assert secret != other
    assert secret == Webhook.objects.get(pk=first.pk).secret
    assert not any(secret in str(value) for value in Webhook.objects.filter(pk=first.pk).values_list()[0])
    assert second.secret == other


def test_a_merchant_has_so_many(linden, program):
    for _ in range(10):
        make_webhook(linden, program.url)

    with pytest.raises(InputError) as caught:
        make_webhook(linden, program.url)

    assert caught.value.code == "webhooks_too_many"
