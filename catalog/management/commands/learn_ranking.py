"""Fits the weights of the ranking to what shoppers clicked on and reviewers said."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from catalog.learning.gains import Gain
from catalog.learning.learn import Learned, learn_tonight, report_of
from catalog.models import LearningRun
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = (
        "Learns the ranking's weights from clicks, weighed by how seldom their rank is looked at, and from verdicts. "
        "Proposes them as a version where they are better on searches that weren't learned from."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--simulated", action="store_true", help="learn from simulated shoppers; proposes nothing")
        parser.add_argument("--dry-run", action="store_true", help="learn and print, but keep and propose nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, simulated: bool, dry_run: bool, **options: Any) -> None:
        try:
            with tqdm(total=3, desc="Learning", file=sys.stderr, disable=None) as bar:

                def told(done: int, total: int, what: str) -> None:
                    bar.set_postfix_str(what)
                    bar.update(done - bar.n)

                learned, run = learn_tonight(is_simulated=simulated, dry_run=dry_run, progress=told)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {error}. Is `manage.py migrate` due?") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; nothing was changed.", returncode=130) from None
        if options["json"]:
            self.stdout.write(json.dumps(_document(learned, run, is_kept=not dry_run), indent=2))
        else:
            self.stdout.write("\n".join(_lines(learned, run, is_kept=not dry_run)))


def _document(learned: Learned, run: LearningRun, *, is_kept: bool) -> dict[str, Any]:
    return {
        "simulated": run.is_simulated,
        "outcome": run.outcome,
        "why": run.why,
        "searches": run.searches,
        "clicks": run.clicks,
        "verdicts": run.verdicts,
        "before": learned.before,
        "after": learned.after,
        "gain": report_of(learned),
        "version": run.version,
        "saved": is_kept,
    }


def _lines(learned: Learned, run: LearningRun, *, is_kept: bool) -> list[str]:
    whose = "simulated shoppers" if run.is_simulated else "shoppers"
    looked = learned.attention
    lines = [
        f"{run.clicks} clicks of {whose}, {run.verdicts} judged results; {run.searches} searches teach something.",
        "",
        f"{'part':12}{'today':>10}{'learned':>10}",
        *(f"{part:12}{learned.before[part]:>10.3f}{learned.after[part]:>10.3f}" for part in learned.before),
        "",
        f"attention falls as rank^-{looked.decay:.2f} (95 %: {looked.low:.2f} to {looked.high:.2f}): "
        + ", ".join(f"{rank}: {value:.2f}" for rank, value in looked.table()),
        f"gain in clicks on held-out searches: {_gain(learned.clicks)}",
        f"gain in nDCG@10 of verdicts:         {_gain(learned.verdicts)}",
        "",
        f"{run.get_outcome_display()}. {run.why}",
    ]
    return lines if is_kept else [*lines, "Nothing was kept."]


def _gain(gain: Gain | None) -> str:
    if gain is None:
        return "nothing to read it from"
    return f"{gain.value:+.4f} (99 %: {gain.low:+.4f} to {gain.high:+.4f}, n={gain.n}; today {gain.before:.4f})"
