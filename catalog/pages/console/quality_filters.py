"""Which searches the quality page shows, kept in its address so that a view can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from catalog.review.asked import ALL_TRAFFIC, PERIODS, REAL, SIMULATED, TRAFFIC, Slice, choices, has_real
from catalog.review.quality import MEASURES, Measure

TRAFFIC_NAMES = {REAL: "Shoppers", SIMULATED: "Simulated", ALL_TRAFFIC: "Both"}
LABELS = {"category": "Category", "merchant": "Merchant of the first result", "model": "Model"}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """One list of the filter form."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What was asked for: the searches, and the measure that is drawn."""

    part: Slice
    measure: Measure

    @property
    def query(self) -> str:
        """The filters as they stand in an address."""
        part = self.part
        named = {"category": part.category, "merchant": part.merchant, "model": part.model}
        return urlencode({"traffic": part.traffic, "days": part.days} | {k: v for k, v in named.items() if v})

    @property
    def is_narrowed(self) -> bool:
        return bool(self.part.category or self.part.merchant or self.part.model)


def view_of(asked: QueryDict) -> View:
    """Returns what an address asks for. What it leaves out or misspells is as without filters: the longest period, and
    the traffic of people where there is any."""
    days = asked.get("days", "")
    traffic = asked.get("traffic", "")
    part = Slice(
        days=int(days) if days in map(str, PERIODS) else max(PERIODS),
        traffic=traffic if traffic in TRAFFIC else REAL if has_real() else SIMULATED,
        category=_clean(asked, "category"),
        merchant=_clean(asked, "merchant"),
        model=_clean(asked, "model"),
    )
    chosen = next((one for one in MEASURES if one.key == asked.get("measure")), MEASURES[0])
    return View(part, chosen)


def selects(view: View) -> list[Select]:
    """Returns the lists of the filter form, with what there is to choose."""
    part = view.part
    found: Mapping[str, list[str]] = choices(part)
    lists = [
        Select("traffic", "Traffic", tuple(Option(one, TRAFFIC_NAMES[one], one == part.traffic) for one in TRAFFIC)),
        Select("days", "Period", tuple(Option(str(one), f"{one} days", one == part.days) for one in PERIODS)),
    ]
    for name, label in LABELS.items():
        chosen = getattr(part, name)
        values = found[name] if chosen in ("", *found[name]) else [*found[name], chosen]
        options = (Option("", "All", not chosen), *(Option(one, one, one == chosen) for one in values))
        lists.append(Select(name, label, options))
    return lists


def _clean(asked: QueryDict, name: str) -> str:
    """A NUL is in no name, and PostgreSQL refuses it."""
    return asked.get(name, "").replace("\0", "")[:200]
