"""Prices as people write them -> an exact amount and an ISO currency. A price we can't be sure of is an error."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from shop_search.errors import InputError

MAX_AMOUNT = Decimal("9999999999.99")  # what the table holds

# The currencies in use.
_ISO_4217 = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF
XPF YER ZAR ZMW ZWG
"""
_CODES = frozenset(_ISO_4217.split())
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SHARED = frozenset({"$", "¥", "KR", "£"})  # one sign of several currencies
_SIGNS = {
    "€": "EUR", "£": "GBP", "$": "USD", "US$": "USD", "¥": "JPY", "₹": "INR", "RS": "INR", "R$": "BRL",
    "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "ZŁ": "PLN",
    "KČ": "CZK", "₺": "TRY", "TL": "TRY", "₽": "RUB", "₩": "KRW", "₪": "ILS", "฿": "THB", "₫": "VND", "₴": "UAH",
    "FR": "CHF", "SFR": "CHF", "EURO": "EUR", "EUROS": "EUR", "LEI": "RON", "FT": "HUF",
}  # fmt: skip
_PRICE = re.compile(
    r"(?P<before>[^\d,+-]*)(?P<sign>[+-]?)\s*(?P<number>\d[\d.,' ]*?)(?:[.,]?-{1,2})?\s*(?P<after>[^\d,.+-][^\d+-]*)?"
)
_SPACED = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?")
# 1.234.567 or 1,234,567, and the Indian 12,34,567.
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal  # two decimals
    currency: str  # ISO 4217, or empty when nothing says


def parse_price(text: str, *, currency: str = "") -> Money:
    """Returns the price that `text` says, like `19.90 EUR`, `1.234,50 €`, `EUR 12`, `$5`, `12,-`.

    `currency` is what the feed says elsewhere: it is that of a bare number, and tells which dollar `$` is.
    Raises InputError `price_invalid`, `price_ambiguous`, `price_too_large` or `currency_unknown`.
    """
    plain = " ".join(re.sub("[\u2019`]", "'", re.sub("[\u2012-\u2015\u2212]", "-", text)).split())
    match = _PRICE.fullmatch(plain)
    # In "Rs. 999" the dot ends a word; in "$.99" it belongs to the number, and dropping it would cost a hundredfold.
    if match is None or re.search(r"(?<![^\W\d_])\.\s*$", match["before"]):
        raise _invalid(text)
    if match["sign"] == "-":
        raise InputError("price_invalid", f"{text!r} is below zero. Write what a shopper pays, like 19.90 EUR.")
    code = _currency([match["before"], match["after"] or ""], currency, text)
    number = match["number"].strip()
    amount = _amount(number, code, text) if len(number) <= 20 else MAX_AMOUNT + 1
    if amount > MAX_AMOUNT:
        raise InputError("price_too_large", f"{text[:40]!r} is more than {MAX_AMOUNT}, the most a price can be.")
    return Money(amount, code)


def is_currency(code: str) -> bool:
    """Returns whether this is the ISO code of a currency in use."""
    return code.strip().upper() in _CODES


def _currency(said: list[str], hint: str, text: str) -> str:
    words = [word for word in (_word(part) for part in said) if word]
    known = next((word for word in [*words, _word(hint)] if word in _CODES), "") or _SIGNS.get(_word(hint), "")
    if hint and not known:
        raise InputError("currency_unknown", f"{hint!r} is no currency we know. Write its ISO code, like EUR.")
    meant = {word if word in _CODES else known if word in _SHARED and known else _SIGNS.get(word, "") for word in words}
    if len(meant) > 1 or "" in meant:
        raise InputError("currency_unknown", f"{text!r} names no one currency we know. Write it like 19.90 EUR.")
    return meant.pop() if meant else known


def _word(text: str) -> str:
    return text.strip().rstrip(".").strip().upper()


def _amount(number: str, code: str, text: str) -> Decimal:
    if {" ", "'"} & set(number):
        if not _SPACED.fullmatch(number):
            raise _invalid(text)
        number = number.replace(" ", "").replace("'", "")
        return _exact(*re.split("[.,]", number + ".")[:2])
    separators = [char for char in number if char in ".,"]
    if not separators:
        return _exact(number, "")
    whole, last, fraction = number.rpartition(separators[-1])
    if len(set(separators)) == 2 or len(separators) > 1:
        grouped = whole if len(set(separators)) == 2 else number
        if not _GROUPED.fullmatch(grouped):
            raise _invalid(text)
        return _exact(re.sub("[.,]", "", grouped), fraction if grouped == whole else "")
    if len(fraction) == 3 and whole.strip("0") and len(whole) <= 3 and code not in _THREE_DECIMALS:
        # "1,299" groups thousands wherever it is written; "1.299" does so in half of Europe, and is 1.299 elsewhere.
        if last == ".":
            raise InputError(
                "price_ambiguous", f"{text!r} can mean {whole}{fraction} or {whole}.{fraction}. Write two decimals."
            )
        return _exact(whole + fraction, "")
    return _exact(whole, fraction)


def _exact(whole: str, fraction: str) -> Decimal:
    return Decimal(f"{whole}.{fraction or 0}").quantize(_CENT, rounding=ROUND_HALF_UP)


def _invalid(text: str) -> InputError:
    return InputError("price_invalid", f"{text!r} is not a price. Write it like 19.90 EUR.")
