"""Simulated shoppers as a job: the demo asks for a few once it is up."""

from dataclasses import asdict
from typing import Any

from catalog.bands.surfaces import surface
from catalog.jobs import Progress, job
from catalog.simulation.traffic import simulate


@job(
    "simulate_shoppers",
    title="Simulate shoppers",
    about="Makes marked searches with known right answers.",
    alone="shoppers",
)
def simulate_shoppers(
    report: Progress, *, searches: int = 300, days: int = 60, seed: int = 0, rest: float = 1.0
) -> dict[str, Any]:
    """Done again it goes on where it was: each search has its own id."""
    return asdict(simulate(searches, days=days, seed=seed, surface=surface, progress=report, rest=rest))
