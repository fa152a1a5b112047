"""Django's admin: plain records in the shop's theme, and nothing that was said or noted can be changed there."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from catalog.audit import note
from catalog.models import AuditEntry, Feedback, Job, Measurement, Merchant, ProductImage, SearchRecord, Verdict
from tests.catalog.people import staff

READ_ONLY = [AuditEntry, Verdict, Feedback, SearchRecord, Job, Measurement]


@pytest.fixture
def root(db, client):
    user = User.objects.create_superuser("root", password="a long password")
    client.force_login(user)
    return user


def address(model, what: str, *args: object) -> str:
    return reverse(f"admin:catalog_{model._meta.model_name}_{what}", args=args)


def test_the_admin_is_themed_and_its_policy_lets_nothing_in_from_elsewhere(root, client):
    response = client.get("/admin/")
    text = response.content.decode()
    assert "unfold/css/styles.css" in text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_only_the_admin_gets_the_admins_policy(db, client):
    assert "unsafe-eval" not in client.get("/").headers["Content-Security-Policy"]
    assert "unsafe-eval" not in client.get("/console/login/").headers["Content-Security-Policy"]
    assert "unsafe-eval" in client.get("/admin/login/").headers["Content-Security-Policy"]


def test_every_list_can_be_opened(root, client, shelf):
    shelf.put("P1", 1)
    note(root, "block", "product 7")
    models = [model for model in admin.site._registry if model._meta.app_label in {"catalog", "auth"}]
    assert len(models) > 10
    for model in models:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_what_was_said_measured_or_noted_is_only_looked_at(root, client, model):
    assert client.get(address(model, "changelist")).status_code == 200
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "add"), {}).status_code == 403
    assert "delete_selected" not in client.get(address(model, "changelist")).content.decode()


def test_an_audit_entry_can_not_be_changed_or_deleted_by_a_superuser(root, client):
    entry = note(root, "block", "product 7", why="stolen picture")
    shown = client.get(address(AuditEntry, "change", entry.pk))
    assert "stolen picture" in shown.content.decode()
    assert 'name="why"' not in shown.content.decode()
    assert client.post(address(AuditEntry, "change", entry.pk), {"why": "never mind"}).status_code == 403
    assert client.post(address(AuditEntry, "delete", entry.pk), {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.get().why == "stolen picture"


def test_a_shop_admin_keeps_merchants_and_reads_the_audit(db, client):
    client.force_login(staff("rae", "Shop admins"))
    merchant = Merchant.objects.create(slug="atelier", name="Atelier")
    changed = {"slug": "atelier", "name": "Atelier Ost"}
    assert client.post(address(Merchant, "change", merchant.pk), changed).status_code == 302
    merchant.refresh_from_db()
    assert merchant.name == "Atelier Ost"
    assert client.get(address(AuditEntry, "changelist")).status_code == 200
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403


def test_a_reviewer_finds_no_records_there(db, client):
    client.force_login(staff("reviewer", "Reviewers"))
    assert client.get(address(Merchant, "changelist")).status_code == 403


def test_the_store_is_told_of_a_product_that_was_changed_here(root, client, shelf):
    product = shelf.put("P1", 1)
    page = client.get(address(type(product), "change", product.pk))
    fields = {
        name: value
        for name, value in page.context["adminform"].form.initial.items()
        if value is not None and not isinstance(value, list | dict)
    }
    fields |= {"title": "Renamed", "images-TOTAL_FORMS": 0, "images-INITIAL_FORMS": 0}

    response = client.post(address(type(product), "change", product.pk), fields)

    assert response.status_code == 302, response.context["errors"]
    product.refresh_from_db()
    assert product.title == "Renamed"
    assert ProductImage.objects.get(product=product).payload_due is not None
