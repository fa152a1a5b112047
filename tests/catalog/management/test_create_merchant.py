import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from catalog.models import ApiKey, Merchant

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_merchant", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_merchant_is_made_once(db):
    run("blue-hour")
    run("blue-hour")

    assert Merchant.objects.get().name == "Blue Hour"
    assert not ApiKey.objects.exists()


def test_a_key_is_printed_once_and_stored_as_a_hash():
    key = run("atelier", "--name", "Atelier Nord", "--with-key").strip()

    row = ApiKey.objects.get()
    assert ApiKey.objects.find(key) == row
    assert row.merchant.name == "Atelier Nord"
    assert key not in {str(value) for value in ApiKey.objects.values().get().values()}
    assert key.startswith(row.prefix)
    assert run("atelier", "--with-key").strip() != key


def test_a_revoked_or_unknown_key_is_none():
    key = run("atelier", "--with-key").strip()
    ApiKey.objects.update(revoked_at=timezone.now())

    assert ApiKey.objects.find(key) is None
    assert ApiKey.objects.find("shop_" + "x" * 43) is None
    assert ApiKey.objects.find("") is None


def test_json_is_one_document_on_standard_output():
    document = json.loads(run("atelier", "--with-key", "--json"))

    assert (document["slug"], document["created"]) == ("atelier", True)
    assert ApiKey.objects.find(document["key"]) is not None


@pytest.mark.parametrize("slug", ["not a slug", "ü", "", "x" * 51])
def test_a_slug_that_is_none_is_refused(slug):
    with pytest.raises(CommandError):
        run(slug)

    assert not Merchant.objects.exists()


def test_another_name_for_a_merchant_that_exists_is_refused():
    run("atelier")

    with pytest.raises(CommandError, match="already"):
        run("atelier", "--name", "Other")
