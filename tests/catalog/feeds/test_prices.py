from decimal import Decimal

import pytest

from catalog.feeds.prices import Money, parse_price
from shop_search.errors import InputError


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("19.90 EUR", "19.90", "EUR"),
        ("EUR 12", "12", "EUR"),
        ("12", "12", ""),
        ("1.234,50 €", "1234.50", "EUR"),
        ("€1,234.50", "1234.50", "EUR"),
        ("1\N{NO-BREAK SPACE}234,50 €", "1234.50", "EUR"),
        ("1'234.50 CHF", "1234.50", "CHF"),
        ("1.234.567 eur", "1234567", "EUR"),
        ("1,23,456.50 INR", "123456.50", "INR"),
        ("₹1,299", "1299", "INR"),
        ("Rs. 999", "999", "INR"),
        ("$5", "5", "USD"),
        ("$5 AUD", "5", "AUD"),
        ("A$ 5", "5", "AUD"),
        ("12,-", "12", ""),
        ("Fr. 20.\N{EN DASH}", "20", "CHF"),
        ("19,9", "19.90", ""),
        ("19.9900", "19.99", ""),
        ("19.98999999", "19.99", ""),
        ("1.299 KWD", "1.30", "KWD"),
        ("0", "0", ""),
    ],
)
def test_a_price_is_read_as_people_write_it(text, amount, currency):
    assert parse_price(text) == Money(Decimal(amount).quantize(Decimal("0.01")), currency)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "price_invalid"),
        ("about ten", "price_invalid"),
        ("-5", "price_invalid"),
        ("10-20", "price_invalid"),
        ("12 50", "price_invalid"),
        ("1,2,3", "price_invalid"),
        ("$.99", "price_invalid"),
        ("1e5", "price_invalid"),
        ("1.299", "price_ambiguous"),
        ("1.299 €", "price_ambiguous"),
        ("5 XYZ", "currency_unknown"),
        ("10 kr", "currency_unknown"),
        ("EUR 5 USD", "currency_unknown"),
        ("99999999999", "price_too_large"),
        ("9" * 5000, "price_too_large"),
    ],
)
def test_a_price_that_nobody_can_be_sure_of_is_an_error(text, code):
    with pytest.raises(InputError) as caught:
        parse_price(text)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "hint", "currency"),
    [("100", "eur", "EUR"), ("100 kr", "SEK", "SEK"), ("$9", "CAD", "CAD"), ("9 €", "USD", "EUR")],
)
def test_a_currency_column_names_what_the_price_leaves_open(text, hint, currency):
    assert parse_price(text, currency=hint).currency == currency


def test_a_currency_column_that_names_none_is_an_error():
    with pytest.raises(InputError) as caught:
        parse_price("100", currency="coins")

    assert caught.value.code == "currency_unknown"
