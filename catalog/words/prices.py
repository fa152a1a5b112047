"""Prices in a query: "under 50", "between 20 and 40 eur", "$30 or less", "around €100". "Size 42" is none.

A number alone is never a price: it needs a word of comparison before or after it, or a currency. Numbers with other
units (cm, %), sizes, years and model names (Air Max 90) are left alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.words.tokens import Token, keys_at

# "around 50" means this share more or less.
AROUND = Decimal("0.2")

_CURRENCIES = {
    word: code
    for code, words in {
        "EUR": "€ eur euro euros",
        "USD": "$ usd dollar dollars buck bucks",
        "GBP": "£ gbp pound pounds quid",
        "CHF": "chf francs",
        "INR": "₹ inr rs rupee rupees",
        "JPY": "¥ jpy yen",
        "SEK": "sek",
        "NOK": "nok",
        "DKK": "dkk",
        "PLN": "pln",
    }.items()
    for word in words.split()
}


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Longest first: "no more than" must not be read as "more than"."""
    return tuple(sorted((tuple(phrase.split()) for phrase in text.split(",")), key=len, reverse=True))


_MOST = _phrases(
    "under,below,less than,lower than,cheaper than,at most,up to,upto,max,maximum,within,budget,budget of,no more than,"
    "not more than,not over,not above,not exceeding,no higher than,maximum of,max of,price up to,<,<=,≤"
)
_LEAST = _phrases(
    "over,above,more than,higher than,at least,min,minimum,starting at,starting from,from,not less than,no less than,"
    "not under,not below,more expensive than,pricier than,minimum of,>,>=,≥"
)
_ABOUT = _phrases("around,about,approximately,approx,roughly,circa,~")
_MOST_AFTER = _phrases("or less,or under,or below,or cheaper,and under,and below,and less,max,maximum,at most,tops")
_LEAST_AFTER = _phrases("or more,or over,or above,and up,and over,and above,and more,min,minimum,at least")
# These also say other things ("from 2023"), so a year after them is no price.
_LOOSE = {"from", "within", "over", "above", "under", "below", "about", "around"}
_DASHES = ("-", "\u2013")
_JOINTS = {"between": ("and", *_DASHES), "from": ("to", "until", *_DASHES), "": ("to", *_DASHES)}
_PRICE_WORDS = {"price", "prices", "priced", "cost", "costs", "costing"}
_SIZE_WORDS = {"size", "sizes", "eu", "uk", "waist", "number", "no", "nr", "model", "type", "air", "vapor"}
_UNITS = {
    unit
    for units in (
        'cm mm inch inches " ″ % percent kg g gr ml l oz km miles denier den',
        "year years yr yrs yo month months days weeks hours pack pcs pairs pieces items",
    )
    for unit in units.split()
}
_LARGEST_DIGITS = 9  # before the point; the catalog's prices have twelve digits with the cents


@dataclass(frozen=True, slots=True)
class PriceMatch:
    """A price wish that ends before token `end`. A side that is None is open."""

    end: int
    low: Decimal | None
    high: Decimal | None
    currency: str | None  # ISO 4217, when the shopper named one


@dataclass(frozen=True, slots=True)
class _Amount:
    end: int
    value: Decimal
    currency: str | None


def match_price(tokens: Sequence[Token], at: int) -> PriceMatch | None:
    """Returns the price wish that begins at token `at`, or None."""
    start = at
    if tokens[at].key in _PRICE_WORDS:
        at += 1
        while at < len(tokens) and tokens[at].key in ("of", "is", "range"):
            at += 1
    if at >= len(tokens) or (start > 0 and tokens[start - 1].key in _SIZE_WORDS):
        return None
    return _range(tokens, at) or _bounded(tokens, at) or _bare(tokens, at, has_price_word=at > start)


def _range(tokens: Sequence[Token], at: int) -> PriceMatch | None:
    """Between A and B, from A to B; A to B and A-B only with a currency, for they may be sizes."""
    word = tokens[at].key
    first = _amount(tokens, at + 1 if word in ("between", "from") else at)
    if first is None or first.end >= len(tokens):
        return None
    joint = tokens[first.end].key
    if joint not in _JOINTS.get(word, _JOINTS[""]):
        return None
    second = _amount(tokens, first.end + 1)
    if second is None:
        return None
    currency = second.currency or first.currency
    if currency is None and word not in ("between", "from"):
        return None
    low, high = sorted((first.value, second.value))
    return PriceMatch(second.end, low, high, currency)


def _bounded(tokens: Sequence[Token], at: int) -> PriceMatch | None:
    for phrases, kind in ((_MOST, "most"), (_LEAST, "least"), (_ABOUT, "about")):
        for phrase in phrases:
            if not keys_at(tokens, at, *phrase):
                continue
            amount = _amount(tokens, at + len(phrase))
            if amount is None or (amount.currency is None and phrase[0] in _LOOSE and _is_year(amount.value)):
                continue
            return _bound(amount, kind, amount.end)
    return None


def _bare(tokens: Sequence[Token], at: int, *, has_price_word: bool) -> PriceMatch | None:
    """An amount first: "50 or less", "$50 max", "$50"."""
    amount = _amount(tokens, at)
    if amount is None:
        return None
    for phrases, kind in ((_MOST_AFTER, "most"), (_LEAST_AFTER, "least")):
        for phrase in phrases:
            if keys_at(tokens, amount.end, *phrase):
                return _bound(amount, kind, amount.end + len(phrase))
    if amount.currency is None and not has_price_word:
        return None
    return _bound(amount, "about", amount.end)


def _bound(amount: _Amount, kind: str, end: int) -> PriceMatch:
    if kind == "most":
        return PriceMatch(end, None, amount.value, amount.currency)
    if kind == "least":
        return PriceMatch(end, amount.value, None, amount.currency)
    low, high = (amount.value * share for share in (1 - AROUND, 1 + AROUND))
    return PriceMatch(end, low, high, amount.currency)


def _amount(tokens: Sequence[Token], at: int) -> _Amount | None:
    """A number, with a currency on either side if it has one, and with no other unit."""
    currency = None
    if at < len(tokens) and tokens[at].key in _CURRENCIES:
        currency, at = _CURRENCIES[tokens[at].key], at + 1
    if at >= len(tokens) or not tokens[at].is_number:
        return None
    if tokens[at].is_glued and tokens[at - 1].is_word and currency is None:
        return None  # part of a name: y2k, mp3
    value = _read(tokens[at].text)
    if value is None:
        return None
    after = at + 1
    if after < len(tokens) and tokens[after].key in _CURRENCIES:
        return _Amount(after + 1, value, currency or _CURRENCIES[tokens[after].key])
    if after < len(tokens) and (tokens[after].key in _UNITS or (tokens[after].is_glued and tokens[after].is_word)):
        return None
    return _Amount(after, value, currency)


def _read(text: str) -> Decimal | None:
    """Returns the number as both sides of the Atlantic write it: 1,000.50 and 1.000,50 and 19,90."""
    *groups, last = re.split(r"[.,]", text)
    separators = re.findall(r"[.,]", text)
    is_grouped = all(len(group) == 3 for group in [*groups[1:], last]) and 1 <= len(groups[0]) <= 3 if groups else False
    if groups and is_grouped and len(set(separators)) == 1 and groups[0].lstrip("0"):
        digits = text.replace(separators[0], "")
    elif groups and len(last) <= 2 and separators[-1] not in separators[:-1]:
        digits = "".join(groups) + "." + last
    elif not groups:
        digits = last
    else:
        return None
    return Decimal(digits) if len(digits.partition(".")[0]) <= _LARGEST_DIGITS else None


def _is_year(value: Decimal) -> bool:
    return 1900 <= value < 2100 and value == value.to_integral_value()
