"""Webhooks by API: each merchant's own, with a secret that is told once."""

import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import ApiKey, Delivery, Merchant, Webhook

pytestmark = pytest.mark.django_db
URL = "https://shop.example/hooks"


def asker(slug: str):
    merchant, _ = Merchant.objects.get_or_create(slug=slug, defaults={"name": slug})
    headers = {"Authorization": f"Api-Key {ApiKey.issue(merchant, name=slug)[1]}"}

    def ask(method: str, path: str, data=None):
        return getattr(Client(), method)(f"/api/v1/{path}", data, content_type="application/json", headers=headers)

    cache.clear()
    return ask


def test_a_webhook_is_made_listed_tried_and_ended():
    ask = asker("linden")

    made = ask("post", "webhooks/", {"url": URL})
    webhook = made.json()

    assert made.status_code == 201
    assert webhook["secret"].startswith("whsec_")
    (listed,) = ask("get", "webhooks/").json()["results"]
    assert (listed["url"], "secret" in listed) == (URL, False)
    tried = ask("post", f"webhooks/{webhook['id']}/test/")
    assert (tried.status_code, tried.json()["event"], tried.json()["state"]) == (202, "webhook.test", "pending")
    (delivery,) = ask("get", f"webhooks/{webhook['id']}/deliveries/").json()["results"]
    assert (delivery["id"], delivery["tries"]) == (tried.json()["id"], [])
    assert ask("post", f"deliveries/{delivery['id']}/send/").status_code == 202
    assert ask("delete", f"webhooks/{webhook['id']}/").status_code == 204
    assert ask("get", "webhooks/").json()["results"] == []
    assert ask("post", f"deliveries/{delivery['id']}/send/").json()["code"] == "delivery_unknown"


def test_a_bad_address_is_told_by_field():
    answer = asker("linden")("post", "webhooks/", {"url": "http://localhost:6379/"})

    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (
        400,
        "webhook_url_invalid",
        ["url"],
    )


def test_charlie_sees_and_ends_none_of_alices():
    made = asker("alice")("post", "webhooks/", {"url": URL}).json()
    asker("alice")("post", f"webhooks/{made['id']}/test/")
    ask = asker("charlie")

    statuses = [
        ask("delete", f"webhooks/{made['id']}/").status_code,
        ask("get", f"webhooks/{made['id']}/deliveries/").status_code,
        ask("post", f"webhooks/{made['id']}/test/").status_code,
        ask("post", f"deliveries/{Delivery.objects.get().pk}/send/").status_code,
    ]

    assert statuses == [404] * 4
    assert ask("get", "webhooks/").json()["results"] == []
    assert Webhook.objects.get().ended_at is None
    assert Client().get("/api/v1/webhooks/").status_code == 401
