"""What a spreadsheet shows for a number: 12.5 under `0.00 "EUR"` is 12.50 EUR, 7 under `00000` is 00007, 45992 a day.

Formats are those of ECMA-376, 18.8.30. Thousands are not parted (1234.50, not 1,234.50): whoever reads the price next
can't know what a comma means.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_BUILT_IN = {
    "1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00", "9": "0%", "10": "0.00%", "37": "#,##0", "38": "#,##0",
    "39": "#,##0.00", "40": "#,##0.00", "14": "yyyy-mm-dd", "15": "d-mmm-yy", "16": "d-mmm", "17": "mmm-yy",
    "18": "h:mm", "19": "h:mm:ss", "20": "h:mm", "21": "h:mm:ss", "22": "yyyy-mm-dd h:mm", "45": "mm:ss",
    "46": "[h]:mm:ss", "47": "mm:ss",
}  # fmt: skip
_EAST_ASIAN_DAYS = frozenset(map(str, [*range(27, 37), *range(50, 59)]))
_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[(?P<bracket>[^\]]*)\]|(?P<char>.)', re.DOTALL)
_LAST_DAY = 2_958_465  # 9999-12-31
_DIGITS = 15  # that a spreadsheet shows; the 17 in the file are the binary number's


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a cell shows its number."""

    kind: str = "general"  # general, number, percent, day, time or moment
    whole: int = 0  # digits at least
    least: int = 0  # decimals at least
    most: int = 0  # decimals at most
    before: str = ""
    after: str = ""

    def show(self, raw: str, *, is_1904: bool = False) -> str:
        """Returns what people see for the file's number; the file's own text where it is none."""
        try:
            value = Decimal(format(float(raw), f".{_DIGITS}g"))
        except (ValueError, OverflowError, InvalidOperation):
            return raw
        if not value.is_finite():
            return raw
        if self.kind in {"day", "time", "moment"} and 0 <= value < _LAST_DAY:
            return _moment(float(value), self.kind, is_1904)
        if self.kind in {"number", "percent"}:
            return self._number(value)
        return _plain(value)

    def _number(self, value: Decimal) -> str:
        if self.kind == "percent":
            value *= 100
        if abs(value.adjusted()) > 2 * _DIGITS:
            return _plain(value)
        rounded = abs(value).quantize(Decimal(1).scaleb(-self.most), rounding=ROUND_HALF_UP)
        whole, _, decimals = format(rounded, "f").partition(".")
        while len(decimals) > self.least and decimals.endswith("0"):
            decimals = decimals[:-1]
        sign = "-" if value < 0 and rounded else ""
        percent = "%" if self.kind == "percent" else ""
        number = sign + whole.zfill(self.whole) + (f".{decimals}" if decimals else "")
        return f"{self.before}{number}{percent}{self.after}".strip()


def number_format(number: str, code: str | None = None) -> NumberFormat:
    """Returns the format of a number, by its code or the built-in one of its number."""
    if code is None:
        code = "yyyy-mm-dd" if number in _EAST_ASIAN_DAYS else _BUILT_IN.get(number, "General")
    tokens = _tokens(code)
    letters = "".join(char for kind, char in tokens if kind == "char").lower()
    if "general" in letters or "@" in letters or "/" in letters.replace("d/", "").replace("m/", "").replace("y/", ""):
        return NumberFormat()
    is_time = bool(set("hs") & set(letters)) or any(kind == "clock" for kind, _ in tokens)
    is_day = bool(set("yd") & set(letters)) or ("m" in letters and not is_time)
    if is_day or is_time:
        return NumberFormat("moment" if is_day and is_time else "day" if is_day else "time")
    return _pattern(tokens, letters)


def _tokens(code: str) -> list[tuple[str, str]]:
    """Returns the code's first section, which is that of numbers above zero: literal texts, `clock`, and characters."""
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(code):
        if match["quoted"] is not None:
            found.append(("literal", match["quoted"]))
        elif match["escaped"] is not None:
            found.append(("literal", match["escaped"]))
        elif match["bracket"] is not None:
            if match["bracket"].startswith("$"):  # [$€-407]: a currency and whose
                found.append(("literal", match["bracket"][1:].partition("-")[0]))
            elif set(match["bracket"].lower()) in ({"h"}, {"m"}, {"s"}):
                found.append(("clock", match["bracket"]))
        elif match["char"] == ";":
            break
        elif match["char"] is not None:
            found.append(("char", match["char"]))
    return found


def _pattern(tokens: list[tuple[str, str]], letters: str) -> NumberFormat:
    places = [place for place, (kind, char) in enumerate(tokens) if kind == "char" and char in "0#?"]
    if not places or "e" in letters:
        return NumberFormat()
    first, last = places[0], places[-1]
    inside = "".join(char for kind, char in tokens[first : last + 1] if kind == "char")
    rest = [char for kind, char in tokens[last + 1 :] if kind == "char"]
    if rest[:1] == [","]:  # shows thousands of it; a price must not shrink
        return NumberFormat()
    whole, _, decimals = inside.replace(",", "").partition(".")
    return NumberFormat(
        "percent" if "%" in letters else "number",
        whole.count("0"),
        decimals.count("0"),
        min(len(decimals), 2 * _DIGITS),
        _words(tokens[:first]),
        _words(tokens[last + 1 :]),
    )


def _words(tokens: list[tuple[str, str]]) -> str:
    return "".join(text for kind, text in tokens if kind == "literal" or text in " $€£¥-+()").replace("\xa0", " ")


def _plain(value: Decimal) -> str:
    """Returns all of its digits, without an exponent where people write none."""
    return format(value.normalize(), "f") if abs(value.adjusted()) <= 20 else str(value)


def _moment(days: float, kind: str, is_1904: bool) -> str:
    # Day 60 is 29 February 1900, which never was; before it, counting begins a day later.
    epoch = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30 if days >= 60 else 31)
    moment = epoch + timedelta(seconds=round(days * 86_400))
    if kind == "time":
        return moment.strftime("%H:%M:%S")
    if kind == "day" and days == int(days):
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%d %H:%M" if moment.second == 0 else "%Y-%m-%d %H:%M:%S")
