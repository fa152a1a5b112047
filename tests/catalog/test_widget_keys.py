import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Merchant, WidgetKey
from catalog.widget_keys import clean_origin, issue_widget_key
from shop_search.errors import InputError


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Shop.Example", "https://shop.example"),
        (" https://shop.example/ ", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://müller.example", "https://xn--mller-kva.example"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(text, origin):
    assert clean_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "shop.example",
        "https://",
        "https://*.example",
        "https://shop.example/path",
        "https://shop.example?x=1",
        "https://user@shop.example",
        "https://shop.example:port",
        "https://a b",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[::1",
        "https://" + "ü" * 300,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InputError) as refused:
        clean_origin(text)
    assert refused.value.code == "origin_invalid"


@pytest.mark.django_db
def test_a_key_without_origins_would_open_nothing_and_is_refused():
    with pytest.raises(InputError, match="1 to 20 origins"):
        issue_widget_key(None, origins=[])


@pytest.mark.django_db
def test_a_revoked_key_is_not_found():
    key = issue_widget_key(None, origins=["https://shop.example"])
    assert WidgetKey.objects.find(key.key) == key

    WidgetKey.objects.update(revoked_at=timezone.now())
    assert WidgetKey.objects.find(key.key) is None


@pytest.mark.django_db
def test_the_command_prints_a_key_of_a_merchant():
    Merchant.objects.create(slug="atelier", name="Atelier")
    out = StringIO()
    call_command(
        "create_widget_key", origin=["https://shop.example"], merchant="atelier", stdout=out, stderr=StringIO()
    )

    key = WidgetKey.objects.find(out.getvalue().strip())
    assert key is not None
    assert (key.merchant.slug, key.origins) == ("atelier", ["https://shop.example"])


@pytest.mark.django_db
def test_the_command_speaks_json():
    out = StringIO()
    call_command(
        "create_widget_key", "--json", "--origin", "https://a.example", "--origin", "https://b.example", stdout=out
    )
    said = json.loads(out.getvalue())

    assert (said["merchant"], said["origins"]) == (None, ["https://a.example", "https://b.example"])
    assert WidgetKey.objects.find(said["key"]) is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "says"),
    [({"origin": ["shop.example"]}, "is no origin"), ({"merchant": "nobody"}, "There is no merchant 'nobody'")],
)
def test_the_command_says_what_is_wrong(options, says):
    with pytest.raises(CommandError, match=says):
        call_command("create_widget_key", **{"origin": ["https://shop.example"], **options})
