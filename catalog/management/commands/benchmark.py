"""Times searches on this machine and this catalog, so that a shop knows what its shoppers wait for."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.health import health
from catalog.search.questions import Question
from catalog.search.search import search
from shop_search.errors import ShopSearchError

WARM_UP = 3


class Command(BaseCommand):
    help = "Times searches of a photo against this catalog, stage by stage, without HTTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photo", type=Path, nargs="?", metavar="PHOTO", help="default: the demo's first sample")
        parser.add_argument("--searches", type=int, default=50, help="timed searches (default: 50)")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, photo: Path | None, searches: int, **options: Any) -> None:
        if searches < 1:
            raise CommandError(f"--searches must be at least 1, not {searches}.")
        path = photo or self._sample()
        try:
            question = Question(image=path.read_bytes())
            taken = [search(question).timings_ms for _ in range(WARM_UP + searches)][WARM_UP:]
        except OSError as error:
            raise CommandError(f"Can't read {path}: {error.strerror}.") from error
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        report = {
            "photo": path.name,
            "searches": searches,
            "images_indexed": health().images_indexed,
            "ms": {stage: _percentiles([one[stage] for one in taken]) for stage in taken[0]},
        }
        self.stdout.write(json.dumps(report, indent=2) if options["json"] else _table(report))

    def _sample(self) -> Path:
        samples = sorted((Path(settings.MEDIA_ROOT) / "samples").glob("*.jpg"))
        if not samples:
            raise CommandError("Name a photo: this shop has no samples.")
        return samples[0]


def _percentiles(values: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['searches']} searches of {report['photo']} against {report['images_indexed']} indexed pictures",
        f"{'':<10}{'p50':>9}{'p95':>9}  ms",
    ]
    lines += [f"{stage:<10}{row['p50']:>9.1f}{row['p95']:>9.1f}" for stage, row in report["ms"].items()]
    return "\n".join(lines)
