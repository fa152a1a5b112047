"""Compares a version with what is live, on the same queries."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.comparisons.comparing import SAMPLE, compare
from catalog.management.version_names import add_version, version_named
from catalog.models import Comparison
from catalog.versions.gate import gate
from shop_search.errors import ShopSearchError


class Command(BaseCommand):
    help = "Asks the same queries of a version and of what is live; the console shows it, and the gate reads it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_version(parser)
        parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help=f"queries (default: {SAMPLE})")
        parser.add_argument("--seed", type=int, default=0, metavar="N", help="which queries (default: 0)")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, name: str, kind: str | None, sample: int, seed: int, **options: Any) -> None:
        version = version_named(name, kind)
        if seed < 0:
            raise CommandError(f"--seed is {seed}; it must be 0 or more.")
        try:
            with tqdm(desc="Queries", unit=" queries", file=sys.stderr, disable=None) as bar:

                def progress(done: int, total: int, what: str) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                made = compare(version, by=None, sample=sample, seed=seed, progress=progress)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        said = gate(version)
        if options["json"]:
            document = {
                "version": version.name,
                "against": made.against_label,
                "queries": made.queries,
                **made.report,
                "gate": {"passes": said.passes, "lines": said.as_json()},
            }
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self.stdout.write(
                "\n".join([*_lines(made), "", *(f"{_mark(line.passes)} {line.text}" for line in said.lines)])
            )


def _lines(made: Comparison) -> list[str]:
    lines = [f"{made.version.name} beside {made.against_label}, {made.queries} queries", ""]
    lines.append(f"{'':12} {'live':>7} {'version':>8} {'difference':>11}  95 % interval       wins/losses/ties     n")
    for measure, of in made.report["measures"].items():
        if of:
            one = of["all"]
            split = f"{one['wins']}/{one['losses']}/{one['ties']}"
            lines.append(
                f"{measure:12} {one['before']:7.3f} {one['after']:8.3f} {one['difference']:+11.3f}  "
                f"{one['low']:+.3f} to {one['high']:+.3f}    {split:>16} {one['n']:5}"
            )
    times = made.report["latency_ms"]
    lines.append(f"search, median {times['before']['p50']:.0f} ms, {times['after']['p50']:.0f} ms")
    if made.report["memory_mb"]:
        before, after = (made.report["memory_mb"][side] for side in ("before", "after"))
        lines.append(f"memory of the model {before} MB, {after} MB")
    return lines


def _mark(passes: bool) -> str:
    return "passes" if passes else "FAILS "
