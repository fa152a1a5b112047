"""What learning from biased clicks finds, where the better weights and the shoppers' attention are known.

    python -m benchmarks.learned_ranking [--runs 20] [--searches 2000] [--json]

Drawn lists, no shop: 60 candidates a search with four parts of a score. How good each is follows the right weights and
some luck; the shop shows the first 24 in the order of today's weights; shoppers look and click as the position-based
model of `simulate_shoppers` has it. Learned from half of the searches: with attention estimated, with attention known,
and naively, as if everybody looked at everything. Judged by the true grades on searches of another draw.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.simulation.clicks import ATTRACTION, DECAY, GRADES, examined

TODAY = {"appearance": 0.85, "color": 0.05, "attributes": 0.05, "quality": 0.05}
RIGHT = {"appearance": 0.50, "color": 0.30, "attributes": 0.15, "quality": 0.05}
CANDIDATES, SHOWN = 60, 24
LUCK = 0.04  # of the standard deviation of what makes a candidate good: what no part of the score knows
# Of 60 candidates: the very product, good, near, wrong, of another category.
SHARES = (1, 6, 15, 28, 10)
_GAINS = np.array([3.0, 2.0, 1.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class World:
    """Candidates of searches, with their true grades as places in GRADES."""

    parts: NDArray[np.float64]  # (searches, CANDIDATES, 4)
    grades: NDArray[np.int64]  # (searches, CANDIDATES)


def world(searches: int, dice: np.random.Generator, *, right: Mapping[str, float] = RIGHT) -> World:
    """Returns candidates whose grades follow the right weights."""
    size = (searches, CANDIDATES)
    # As measured on a shop: cosines lie close together, colors and attributes spread, most is in stock.
    parts = np.stack(
        [
            np.clip(dice.normal(0.45, 0.10, size), 0, 1),
            np.clip(dice.normal(0.5, 0.25, size), 0, 1),
            np.clip(dice.normal(0.6, 0.25, size), 0, 1),
            np.clip(dice.normal(0.7, 0.15, size), 0, 1),
        ],
        axis=2,
    )
    worth = parts @ np.array(list(right.values())) + dice.normal(0, LUCK, size)
    places = np.argsort(np.argsort(-worth, axis=1), axis=1)
    return World(parts, np.searchsorted(np.cumsum(SHARES), places, side="right"))


def shown(made: World, dice: np.random.Generator, *, today: Mapping[str, float] = TODAY, decay: float = DECAY) -> Any:
    """Returns the lists that shoppers were shown, with their clicks."""
    from catalog.learning.lists import Shown

    attraction = np.array([ATTRACTION[grade] for grade in GRADES])
    look = np.array([examined(rank, decay) for rank in range(1, SHOWN + 1)])
    order = np.argsort(-(made.parts @ np.array(list(today.values()))), axis=1)[:, :SHOWN]
    found = []
    for number, row in enumerate(order):
        grades = made.grades[number, row]
        clicked = (dice.random(SHOWN) < look) & (dice.random(SHOWN) < attraction[grades])
        found.append(
            Shown(
                parts=made.parts[number, row],
                ranks=np.arange(1, SHOWN + 1),
                bands=np.zeros(SHOWN, np.int64),
                clicked=clicked,
                grades=np.full(SHOWN, np.nan),
                is_held_out=number % 2 == 1,
            )
        )
    return found


def true_ndcg(made: World, weights: Mapping[str, float], depth: int = 10) -> float:
    """Returns the mean nDCG@10 of an order by these weights, by the true grades."""
    gains = 2 ** _GAINS[made.grades] - 1
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    order = np.argsort(-(made.parts @ np.array(list(weights.values()))), axis=1)[:, :depth]
    best = -np.sort(-gains, axis=1)[:, :depth]
    return float(((np.take_along_axis(gains, order, axis=1) @ discounts) / (best @ discounts)).mean())


def known_attention(decay: float = DECAY) -> Any:
    """Returns the shoppers' attention as the model has it."""
    from catalog.learning.attention import Attention

    return Attention(decay)


def one_run(seed: int, searches: int, *, right: Mapping[str, float] = RIGHT, decay: float = DECAY) -> dict[str, Any]:
    """Returns what each way of learning finds, and how good it truly is."""
    from catalog.learning.attention import EVEN, attention
    from catalog.learning.gains import click_gain
    from catalog.learning.weights import fit, pairs_of

    dice = np.random.default_rng(seed)
    lists = shown(world(searches, dice, right=right), dice, decay=decay)
    fresh = world(2000, dice, right=right)
    train = [one for one in lists if not one.is_held_out]
    held_out = [one for one in lists if one.is_held_out]
    looked = attention(train)
    ways = {"unbiased": looked, "attention known": known_attention(decay), "naive": EVEN}
    report: dict[str, Any] = {
        "today": {"ndcg": true_ndcg(fresh, TODAY)},
        "right": {"ndcg": true_ndcg(fresh, right)},
        "decay": looked.decay,
        "is_decay_in_interval": looked.low <= decay <= looked.high,
        "clicks": int(sum(one.clicked.sum() for one in lists)),
    }
    for name, way in ways.items():
        pairs = pairs_of(train, way)
        weights = fit(pairs, TODAY) if pairs else dict(TODAY)
        gain = click_gain(held_out, way, TODAY, weights)
        report[name] = {
            "weights": weights,
            "ndcg": true_ndcg(fresh, weights),
            "is_proposed": gain is not None and gain.low > 0,
        }
    return report


def measure(runs: int, searches: int) -> dict[str, Any]:
    """Returns the means over runs, with the share of runs in which each way would have proposed its weights."""
    found = []
    for seed in range(runs):
        found.append(one_run(seed, searches))
        print(f"\rrun {seed + 1} of {runs}", end="", file=sys.stderr)
    print(file=sys.stderr)
    none = [one_run(1000 + seed, searches, right=TODAY) for seed in range(runs)]
    ways = ("unbiased", "attention known", "naive")
    return {
        "runs": runs,
        "searches": searches,
        "clicks": float(np.mean([one["clicks"] for one in found])),
        "ndcg": {name: _mean([one[name]["ndcg"] for one in found]) for name in ("today", "right", *ways)},
        "weights": {
            name: {part: float(np.mean([one[name]["weights"][part] for one in found])) for part in TODAY}
            for name in ways
        },
        "proposed": {name: sum(one[name]["is_proposed"] for one in found) for name in ways},
        "proposed_where_today_is_right": {name: sum(one[name]["is_proposed"] for one in none) for name in ways},
        "decay": {"known": DECAY, **_mean([one["decay"] for one in found])},
        "decay_in_interval": sum(one["is_decay_in_interval"] for one in found),
    }


def _mean(values: Sequence[float]) -> dict[str, float]:
    spread = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    mean = float(np.mean(values))
    return {"value": round(mean, 4), "low": round(mean - 1.96 * spread, 4), "high": round(mean + 1.96 * spread, 4)}


def as_text(report: Mapping[str, Any]) -> str:
    lines = [
        f"{report['runs']} runs of {report['searches']} searches, {report['clicks']:.0f} clicks each on average",
        "",
    ]
    lines += ["| weights | " + " | ".join(TODAY) + " | true nDCG@10 | proposed | where today's are right |"]
    lines += ["|---|--:|--:|--:|--:|--:|--:|--:|"]
    for name, one in report["ndcg"].items():
        weights = {"today": TODAY, "right": RIGHT}.get(name) or report["weights"][name]
        cells = " | ".join(f"{weights[part]:.2f}" for part in TODAY)
        proposed = report["proposed"].get(name, ""), report["proposed_where_today_is_right"].get(name, "")
        lines.append(
            f"| {name} | {cells} | {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f}) "
            f"| {proposed[0]} | {proposed[1]} |"
        )
    decay = report["decay"]
    lines += [
        "",
        f"attention falls as rank^-{decay['known']}; estimated {decay['value']:.3f} ({decay['low']:.3f} to "
        f"{decay['high']:.3f}), the 95 % interval holds the known one in {report['decay_in_interval']} runs",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--searches", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    from benchmarks.bench_home import bench_home

    with bench_home():
        report = measure(asked.runs, asked.searches)
    print(json.dumps(report, indent=2) if asked.json else as_text(report))


if __name__ == "__main__":
    main()
