"""A version beside what is live, on the same queries: kept as a Comparison, which people look at and the gate reads.

queries -> each through both, in turns -> paired differences, by category and source -> latency, memory -> Comparison
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from catalog.bands.surfaces import surface
from catalog.comparisons.asking import MEASURES, Answered, answered
from catalog.comparisons.memory import memory_mb
from catalog.comparisons.pairs import Pair, difference
from catalog.comparisons.queries import Query, queries
from catalog.models import Comparison, LiveVersion, ProductImage, Version
from catalog.serving import Serving, live, pinned, read
from catalog.versions.beside import collection_with, lacking, serving_with
from catalog.versions.switching import MOST_TO_CATCH_UP
from detection import detector
from embeddings import encoder
from shop_search.errors import InputError

Json = dict[str, Any]
Progress = Callable[[int, int, str], object]

SAMPLE = 200
MOST_SAMPLE = 5000
# By which an outcome is a win or a loss.
DECIDING = {"bands": "band_right"}
# Kept with what was found, for people to look at: losses first.
KEPT = {"loss": 60, "win": 60, "tie": 20}
_SHOWN = 3  # cards of each side


@dataclass(frozen=True, slots=True)
class _Outcome:
    query: Query
    before: Answered
    after: Answered

    def result(self, measure: str) -> str:
        """Returns "win", "loss" or "tie" by a measure."""
        before, after = self.before.scores[measure], self.after.scores[measure]
        if before is None or after is None or before == after:
            return "tie"
        return "win" if after > before else "loss"


def compare(
    version: Version,
    *,
    by: User | None,
    sample: int = SAMPLE,
    seed: int = 0,
    progress: Progress = lambda done, total, what: None,
) -> Comparison:
    """Returns what a ready version did beside the live one, and keeps it.

    Raises InputError: `version_not_built`, `version_is_live`, `sample_invalid`, `nothing_to_ask`. Raises ServiceError
    when a model or the store fails.
    """
    version.refresh_from_db()
    if not 1 <= sample <= MOST_SAMPLE:
        raise InputError("sample_invalid", f"So many queries as {sample} can't be asked; 1 to {MOST_SAMPLE} can.")
    if version.state == Version.State.LIVE:
        raise InputError("version_is_live", f"{version.name} is live: it would be compared with itself.")
    _check_built(version)
    before, after = read(), serving_with(version)
    against = LiveVersion.objects.filter(pk=version.kind).select_related("version").first()
    with pinned(before):
        asked = queries(sample, seed=seed, surface=surface)
        label = _label(version.kind, against.version if against else None)
    progress(0, len(asked), "Asking both")
    outcomes, unreadable = _ask(asked, before, after, lambda done: progress(done, len(asked), "Asking both"))
    if not outcomes:
        raise InputError("nothing_to_ask", "No query's picture can be read.")
    progress(len(asked), len(asked), "Counting")
    deciding = DECIDING.get(version.kind, "ndcg@10")
    return Comparison.objects.create(
        version=version,
        against=against.version if against else None,
        against_label=label,
        made_by=by,
        seed=seed,
        queries=len(outcomes),
        report={
            "measures": {measure: _measured(outcomes, measure, seed) for measure in MEASURES},
            "deciding": deciding,
            "sources": dict(Counter(one.query.source for one in outcomes)),
            "unreadable": unreadable,
            "latency_ms": {
                "before": _times([o.before.ms for o in outcomes]),
                "after": _times([o.after.ms for o in outcomes]),
            },
            "memory_mb": _memory(version, before),
        },
        outcomes=_kept(outcomes, deciding),
    )


def _check_built(version: Version) -> None:
    if version.has_index and not version.is_built:
        raise InputError("version_not_built", f"{version.name} has no index yet. Build it first.")
    if version.state == Version.State.RETIRED:
        raise InputError("version_retired", f"{version.name} was retired.")
    if version.has_index and (missing := lacking(collection_with(version)).count()) > MOST_TO_CATCH_UP:
        shown = ProductImage.objects.indexable().count()
        raise InputError(
            "version_not_built",
            f"{missing} of {shown} pictures are not in the index of {version.name}. Build it again.",
        )


def _label(kind: str, version: Version | None) -> str:
    """Returns what is live, for people; pinned to it."""
    if kind in (Version.Kind.ENCODER, Version.Kind.DETECTOR):
        card = (encoder() if kind == Version.Kind.ENCODER else detector()).card
        return f"{version.name} ({card.label})" if version else f"as in the settings ({card.label})"
    return version.name if version else "as in the settings"


def _ask(
    asked: Sequence[Query], before: Serving, after: Serving, progress: Callable[[int], object]
) -> tuple[list[_Outcome], int]:
    """Asks each query of both, each first in every other one: so neither has the warm caches. Those whose picture
    can't be read are counted."""
    outcomes: list[_Outcome] = []
    unreadable = 0
    is_warm = False
    for place, query in enumerate(asked):
        try:
            photo = query.photo()
            if not is_warm:  # the first search loads the models
                answered(query, photo, before)
                answered(query, photo, after)
                is_warm = True
            if place % 2:
                second, first = answered(query, photo, after), answered(query, photo, before)
            else:
                first, second = answered(query, photo, before), answered(query, photo, after)
            outcomes.append(_Outcome(query, first, second))
        except InputError:  # the file is gone, or too small to be searched with
            unreadable += 1
        progress(place + 1)
    return outcomes, unreadable


def _measured(outcomes: Sequence[_Outcome], measure: str, seed: int) -> Json:
    """Returns the paired difference of one measure: of all, by category, and by where the queries come from."""
    pairs: list[tuple[Query, Pair]] = []
    for one in outcomes:
        before, after = one.before.scores[measure], one.after.scores[measure]
        if before is not None and after is not None:
            pairs.append((one.query, Pair(before, after, one.query.cluster)))
    by_category: dict[str, list[Pair]] = defaultdict(list)
    by_source: dict[str, list[Pair]] = defaultdict(list)
    for query, pair in pairs:
        by_category[query.category].append(pair)
        by_source[query.source].append(pair)
    everything = difference([pair for _, pair in pairs], seed=seed)
    if everything is None:
        return {}
    return {
        "all": _rounded(asdict(everything)),
        "categories": {name: _group(of, seed) for name, of in sorted(by_category.items()) if name},
        "sources": {name: _group(of, seed) for name, of in sorted(by_source.items())},
    }


def _group(pairs: Sequence[Pair], seed: int) -> Json:
    found = difference(pairs, seed=seed)
    return {} if found is None else _rounded(asdict(found))


def _rounded(numbers: Json) -> Json:
    return {name: round(value, 5) if isinstance(value, float) else value for name, value in numbers.items()}


def _times(ms: Sequence[float]) -> Json:
    p50, p95 = np.percentile(ms, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "n": len(ms)}


def _memory(version: Version, before: Serving) -> Json:
    """Returns what each model takes; nothing for versions that have none."""
    if not version.has_index:
        return {}
    with pinned(before):
        options = live(version.kind)
    return {"before": memory_mb(version.kind, options), "after": memory_mb(version.kind, version.options)}


def _kept(outcomes: Sequence[_Outcome], deciding: str) -> list[Json]:
    """Returns losses, wins and some ties, the largest differences first."""
    kept: list[Json] = []
    for result, most in KEPT.items():
        chosen = [one for one in outcomes if one.result(deciding) == result]
        chosen.sort(key=lambda one: -abs(_score(one.after, deciding) - _score(one.before, deciding)))
        kept += [_shown(one, result) for one in chosen[:most]]
    return kept


def _score(answer: Answered, measure: str) -> float:
    return answer.scores[measure] or 0.0


def _shown(one: _Outcome, result: str) -> Json:
    return {
        "result": result,
        "source": one.query.source,
        "category": one.query.category,
        "picture": dict(one.query.picture),
        "before": _side(one.query, one.before),
        "after": _side(one.query, one.after),
    }


def _side(query: Query, answer: Answered) -> Json:
    return {
        "rank": answer.rank,
        "cards": [
            {
                "product": card.product_id,
                "image": card.image_id,
                "score": round(card.score, 3),
                "band": str(card.band),
                "is_it": bool(query.same & {card.product_id, *card.others}),
            }
            for card in answer.cards[:_SHOWN]
        ],
    }
