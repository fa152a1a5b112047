"""Learning as a job: each night, where anything was clicked or judged."""

from dataclasses import asdict
from typing import Any

from catalog.jobs import Progress, job
from catalog.learning.learn import learn_tonight
from catalog.models import Feedback, Verdict


def _has_something_to_learn_from() -> bool:
    judged = Verdict.objects.filter(search__is_simulated=False)
    return Feedback.objects.filter(is_simulated=False).exists() or judged.exists()


@job(
    "learn_ranking",
    title="Learn the ranking",
    about="Fits the weights of the ranking to clicks and verdicts, and proposes them where they are better.",
    alone="shoppers",  # not while they are simulated
    nightly=_has_something_to_learn_from,
)
def learn_ranking(report: Progress, *, is_simulated: bool = False) -> dict[str, Any]:
    """Done twice it proposes the second time only what is better than what the first time went live."""
    learned, run = learn_tonight(is_simulated=is_simulated, progress=report)
    return {
        "outcome": run.outcome,
        "why": run.why,
        "before": run.before,
        "after": run.after,
        "clicks": asdict(learned.clicks) if learned.clicks else None,
        "version": run.version,
    }
