"""What the page of versions shows, read once: rows of versions with their jobs and the gate's word, and comparisons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import reverse

from catalog.models import Comparison, Job, LiveVersion, Product, ProductImage, SearchRecord, Switch, Trial, Version
from catalog.pages.cards import thumb
from catalog.pages.wording import GROUPS
from catalog.serving import live
from catalog.versions.beside import collection_with, lacking
from catalog.versions.gate import GateVerdict, gate, lines_of
from catalog.versions.trials import TrialReport, report_of
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

JOBS = ("build_version", "compare_version")
LABELS = {"recall@1": "Recall@1", "recall@5": "Recall@5", "ndcg@10": "nDCG@10", "band_right": "Band is right"}
MOST_HISTORY = 50
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveRow:
    kind: str
    title: str
    name: str
    options: str
    since: Switch | None
    goes_back_to: str  # "" where nothing can be rolled back


@dataclass(frozen=True, slots=True)
class VersionRow:
    version: Version
    options: str
    jobs: list[Job]
    failed: Job | None
    missing: int
    comparison: Comparison | None
    said: GateVerdict | None

    @property
    def is_busy(self) -> bool:
        return bool(self.jobs)

    @property
    def is_ready(self) -> bool:
        return self.version.state == Version.State.READY


@dataclass(frozen=True, slots=True)
class TrialRow:
    trial: Trial
    share: str  # of the visitors, "10%"
    report: TrialReport


@dataclass(frozen=True, slots=True)
class Number:
    """One measure of both sides."""

    label: str
    before: str
    after: str
    difference: str
    range: str
    tone: str  # "good" | "bad" | ""
    n: int
    split: str  # wins, losses, ties
    p: str


def live_rows() -> list[LiveRow]:
    """Returns what is live of each kind."""
    versions = {row.kind: row.version for row in LiveVersion.objects.select_related("version")}
    rows = []
    for kind in Version.Kind:
        version = versions.get(kind.value)
        switches = Switch.objects.filter(kind=kind).select_related("by", "before")
        back = switches.filter(is_rollback=False, is_undone=False).first()
        since = switches.first()
        rows.append(
            LiveRow(
                kind.value,
                kind.label,
                version.name if version else "as in the settings",
                options_text(kind.value, live(kind.value)),
                since,
                "" if back is None else back.before.name if back.before else "what the settings say",
            )
        )
    return rows


def options_text(kind: str, options: Mapping[str, Any]) -> str:
    """Returns a version's options as people read them."""
    if kind in ("encoder", "detector"):
        return _model_text(options)
    told = [f"{key.replace('_', ' ')} {value:g}" for key, value in options.items() if isinstance(value, int | float)]
    more = options.get("by_category")
    return ", ".join([*told, *([f"and {len(more)} categories of their own"] if more else [])])


def _model_text(options: Mapping[str, Any]) -> str:
    """Returns which model a card is of, and what else was chosen; the card's folder where nobody can read it now."""
    told = [f"{key} {value}" for key, value in options.items() if key != "card"]
    if path := str(options.get("card", "")):
        try:
            told.insert(0, ModelCard.load(path).label)
        except ServiceError:
            told.insert(0, f"{Path(path).parent.name} (its card can't be read)")
    return ", ".join(told)


def version_rows() -> list[VersionRow]:
    """Returns all versions but retired ones, the latest first, with what may be done with each."""
    jobs = list(Job.objects.filter(kind__in=JOBS).order_by("-created_at")[:200])
    rows = []
    for version in Version.objects.exclude(state=Version.State.RETIRED).select_related("made_by"):
        own = [job for job in jobs if job.arguments.get("version") == version.pk]
        running = [job for job in own if job.finished_at is None]
        latest = own[0] if own else None
        said = gate(version) if version.state == Version.State.READY else None
        rows.append(
            VersionRow(
                version,
                options_text(version.kind, version.options),
                running,
                latest if latest is not None and latest.state == Job.State.FAILED else None,
                _missing(version),
                version.comparisons.defer("outcomes").first(),
                said,
            )
        )
    return rows


def _missing(version: Version) -> int:
    """Returns how many pictures a built version lacks; 0 where its model can't be loaded, which promoting tells."""
    if not version.has_index or version.state != Version.State.READY:
        return 0
    try:
        return lacking(collection_with(version)).count()
    except ServiceError:
        return 0


def trial_row() -> TrialRow | None:
    """Returns the running trial, or the last one."""
    trial = Trial.objects.select_related("version", "started_by").first()
    return None if trial is None else TrialRow(trial, f"{trial.share:.0%}", report_of(trial))


def history() -> list[Switch]:
    """Returns the latest switches with who and why."""
    return list(Switch.objects.select_related("before", "after", "by")[:MOST_HISTORY])


def numbers(measures: Mapping[str, Mapping[str, Any]]) -> list[Number]:
    """Returns the rows of a table of measures."""
    return [number(LABELS.get(name, name), of["all"]) for name, of in measures.items() if of]


def number(label: str, one: Mapping[str, Any]) -> Number:
    low, high = float(one["low"]), float(one["high"])
    return Number(
        label=label,
        before=f"{one['before']:.3f}",
        after=f"{one['after']:.3f}",
        difference=f"{one['difference']:+.3f}",
        range=f"{low:+.3f} to {high:+.3f}",
        tone="good" if low > 0 else "bad" if high < 0 else "",
        n=int(one["n"]),
        split=f"{one['wins']} / {one['losses']} / {one['ties']}",
        p=f"{one['p']:.3f}" if one["p"] >= 0.001 else "< .001",
    )


def comparison_context(row: Comparison, *, sees_crops: bool) -> Json:
    """Returns all that the page of one comparison prints."""
    report = row.report
    deciding = report["deciding"]
    chosen = report["measures"].get(deciding, {})
    groups = {"By category": chosen.get("categories", {}), "By kind of query": chosen.get("sources", {})}
    shown = _Pictures(row.outcomes, sees_crops=sees_crops)
    titles = {"loss": "Losses", "win": "Wins", "tie": "Ties"}
    counted = {name: chosen.get("all", {}).get(key, 0) for name, key in _COUNTED.items()}
    return {
        "comparison": row,
        "numbers": numbers(report["measures"]),
        "deciding": LABELS.get(deciding, deciding),
        "groups": [(title, [number(name, one) for name, one in of.items()]) for title, of in groups.items() if of],
        "latency": _sides(report.get("latency_ms", {}), "p50", "ms"),
        "latency_slow": _sides(report.get("latency_ms", {}), "p95", "ms"),
        "memory": _memory(report.get("memory_mb", {})),
        "said": gate_of(row),
        "outcomes": [
            (name, titles[name], counted[name], [shown.pair(one) for one in row.outcomes if one["result"] == name])
            for name in titles
        ],
    }


_COUNTED = {"loss": "losses", "win": "wins", "tie": "ties"}


def gate_of(row: Comparison) -> GateVerdict:
    """Returns the gate's word on this comparison, whether or not it still is the latest."""
    return GateVerdict(lines_of(row.report, row.version.kind), row)


def _sides(of: Mapping[str, Mapping[str, float]], at: str, unit: str) -> tuple[str, str] | None:
    return (f"{of['before'][at]:.0f} {unit}", f"{of['after'][at]:.0f} {unit}") if of else None


def _memory(of: Mapping[str, float | None]) -> tuple[str, str] | None:
    if not of:
        return None
    before, after = (f"{of[side]:.0f} MB" if of[side] is not None else "unknown" for side in ("before", "after"))
    return before, after


class _Pictures:
    """The pictures of many outcomes, read in three queries."""

    def __init__(self, outcomes: Iterable[Json], *, sees_crops: bool) -> None:
        cards = [card for one in outcomes for side in ("before", "after") for card in one[side]["cards"]]
        asked = [one["picture"] for one in outcomes]
        wanted = {card["image"] for card in cards} | {one["image"] for one in asked if "image" in one}
        images = ProductImage.objects.filter(pk__in=wanted).order_by()
        self._files = {image.pk: image.file.url for image in images.only("file")}
        products = Product.objects.filter(pk__in={card["product"] for card in cards})
        self._titles = dict(products.values_list("pk", "title"))
        searches = {one["search"] for one in asked if "search" in one} if sees_crops else set()
        kept = SearchRecord.objects.filter(pk__in=searches).exclude(crop="")
        self._crops = {str(pk) for pk in kept.values_list("pk", flat=True)}

    def pair(self, one: Json) -> Json:
        return {
            "query": self._query(one["picture"]),
            "category": one["category"],
            "source": one["source"],
            "sides": [
                ("live", self._rank(one["before"]), [self._card(card) for card in one["before"]["cards"]]),
                ("version", self._rank(one["after"]), [self._card(card) for card in one["after"]["cards"]]),
            ],
        }

    def _query(self, picture: Mapping[str, Any]) -> str:
        if "search" in picture:
            return reverse("console:crop", args=[picture["search"]]) if picture["search"] in self._crops else ""
        return self._file(picture["image"])

    def _file(self, image: int) -> str:
        return thumb(self._files[image]) if image in self._files else ""

    def _rank(self, side: Json) -> str:
        return f"place {side['rank']}" if side["rank"] else "not in the first 10"

    def _card(self, card: Json) -> Json:
        band = str(GROUPS[card["band"]]) if card["band"] in GROUPS else card["band"]
        title = self._titles.get(card["product"], "gone")
        return {"image": self._file(card["image"]), "title": title, "is_it": card["is_it"], "band": band}
