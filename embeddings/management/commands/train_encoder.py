"""Trains our encoder on catalog pictures with titles and on pairs of pictures of one product, and exports it.

With --unfreeze, teaches the last blocks of a trained one to see through bad photos. With --catalog, fits a trained one
to a shop's own catalog instead, and exports it only if that helped.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from embeddings.measures import Measure
from shop_search.bf16 import has_bf16
from shop_search.errors import ShopSearchError
from shop_search.model_card import ModelCard

Measures = Mapping[str, Mapping[str, Measure]]
RUNS = Path("runs")
WORK, SHOP_WORK, UNFREEZE_WORK = RUNS / "train_encoder", RUNS / "fine_tune", RUNS / "unfreeze"
DATA = (
    "{products} catalog photos with titles, {views} photos of products from four sides: held-out ones not counted",
    "Backgrounds: street photos. Drawn products and {scenes} drawn scenes of the project's own",
)

UNFREEZE_DATA = "Last blocks: {products} of these products' pictures and bad photos rendered of them"
SHOP_DATA = "{products} products of a shop's own catalog with their titles; {held_out} more were held out"


class Command(BaseCommand):
    help = "Train the encoder. A killed training resumes from its work folder when called again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--products", type=Path, help="folder with catalogue.csv")
        parser.add_argument("--views", type=Path, help="folder with products.json")
        parser.add_argument("--backgrounds", type=Path, help="folder of street photos (*.jpg)")
        parser.add_argument(
            "--catalog", type=Path, metavar="CSV", help="fit --from to this shop: sku, image, title[, category, color]"
        )
        start = parser.add_mutually_exclusive_group(required=True)
        start.add_argument("--backbone", type=Path, help="start from timm's mobilenetv2_100 weights (safetensors)")
        start.add_argument("--from", dest="start", help='go on with a trained model: its folder, or "bundled"')
        parser.add_argument(
            "--unfreeze", type=int, metavar="N", help="train the last N blocks of --from on bad photos, nothing else"
        )
        parser.add_argument("--pictures", type=int, help="of --products that --unfreeze learns from")
        parser.add_argument("--epochs", type=int, help="passes over them")
        parser.add_argument("--bad-photos", type=int, help="that --unfreeze renders of each picture (default: 3)")
        parser.add_argument(
            "--fp32", action="store_true", help="unfreeze in full precision also where the CPU is faster in bf16"
        )
        parser.add_argument(
            "--mix", type=float, help="share of what --unfreeze trained, 0 to 1 (default: the best by what trained)"
        )
        parser.add_argument("--threads", type=int, help="cores that --unfreeze may use (default: all)")
        parser.add_argument("--out", type=Path, required=True, help="folder for weights and card")
        parser.add_argument("--work", type=Path, help="keeps features and progress (default: runs/train_encoder)")
        parser.add_argument("--scenes", type=int, default=400, help="how many drawn scenes join in")
        parser.add_argument("--text-epochs", type=int, help="passes over the titles")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--name", default="1", metavar="VERSION", help="the version on the card")
        parser.add_argument("--rights", action="append", default=[], help="a line on the data's rights, for the card")

    def handle(self, *args: Any, **options: Any) -> None:
        bundled = Path(settings.BASE_DIR) / "embeddings" / "weights"
        start = bundled if options["start"] == "bundled" else options["start"] and Path(options["start"])
        try:
            if options["unfreeze"]:
                self._unfreeze(start, options)
            elif options["catalog"]:
                self._fit_to_shop(start, options)
            else:
                self._train(start, options)
        except ShopSearchError as error:
            raise CommandError(error.message) from error
        except ImportError as error:
            raise CommandError(f"Training needs the training packages: pip install '.[train]' ({error}).") from error

    def _train(self, start: Path | None, options: dict[str, Any]) -> None:
        _complain(options)
        # Torch is imported only when the command runs, so that `manage.py help` stays light.
        from embeddings.training.ship import ship
        from embeddings.training.train import Plan, train

        plan = Plan(
            products=options["products"],
            views=options["views"],
            backgrounds=options["backgrounds"],
            work=options["work"] or Path(settings.BASE_DIR) / WORK,
            backbone=options["backbone"],
            start=start or None,
            scenes=options["scenes"],
            seed=options["seed"],
        )
        text = replace(plan.text, seed=plan.seed, epochs=options["text_epochs"] or plan.text.epochs)
        trained = train(replace(plan, text=text))
        data = [line.format(**trained.facts["counts"]) for line in DATA] + options["rights"]
        card = ship(trained, options["out"], version=options["name"], data=data)
        self.stdout.write(f"{card.label} in {trained.facts['minutes']} minutes: {options['out'] / 'card.json'}")
        self.stdout.write("Measure it before it is served: SHOP_SEARCH_ENCODER=<card> manage.py evaluate_encoder ...")

    def _unfreeze(self, start: Path | None, options: dict[str, Any]) -> None:
        if start is None:
            raise CommandError("--unfreeze goes on with a trained model: name it with --from, like --from bundled.")
        _complain(options)
        for name in ("pictures", "bad_photos", "epochs"):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name.replace('_', '-')} {options[name]} is too few: 1 at least.")
        from embeddings.training.ship import ship
        from embeddings.training.tail import UnfreezePlan
        from embeddings.training.unfreeze import unfreeze

        plan = UnfreezePlan(
            products=options["products"],
            views=options["views"],
            backgrounds=options["backgrounds"],
            start=start,
            work=options["work"] or Path(settings.BASE_DIR) / UNFREEZE_WORK,
            blocks=options["unfreeze"],
            seed=options["seed"],
            bf16=not options["fp32"] and has_bf16(),
        )
        asked = {name: options[name] for name in ("pictures", "bad_photos", "epochs", "threads", "mix")}
        trained = unfreeze(replace(plan, **{name: value for name, value in asked.items() if value is not None}))
        before = ModelCard.load(start / "card.json")
        facts = {**trained.facts, "started_from": {"label": before.label, "training": dict(before.training)}}
        data = [*before.data, UNFREEZE_DATA.format(**facts["counts"]), *options["rights"]]
        card = ship(replace(trained, facts=facts), options["out"], version=options["name"], data=data)
        self.stdout.write(f"{card.label} in {facts['minutes']} minutes: {options['out'] / 'card.json'}")
        self.stdout.write(
            f"Curves: {plan.work / 'curves.png'}. Mixed with what it started from: {facts['mix']} of what was trained. "
            "Held-out real pairs decide: measure other mixes with --mix, which trains nothing anew."
        )
        self.stdout.write("Measure it before it is served: SHOP_SEARCH_ENCODER=<card> manage.py evaluate_encoder ...")
        self.stdout.write("It has no attribute heads: train_attributes makes them.")

    def _fit_to_shop(self, start: Path | None, options: dict[str, Any]) -> None:
        if start is None:
            raise CommandError("A shop's catalog fits a trained model: name it with --from, like --from bundled.")
        from embeddings.training.export import with_metrics
        from embeddings.training.fine_tune import ShopPlan, fine_tune, with_text
        from embeddings.training.ship import ship

        work = options["work"] or Path(settings.BASE_DIR) / SHOP_WORK
        plan = ShopPlan(catalog=options["catalog"], start=start, work=work, seed=options["seed"])
        outcome = fine_tune(with_text(plan, epochs=options["text_epochs"]))
        facts = outcome.trained.facts
        self.stdout.write(
            f"{facts['counts']['products']} products trained, {facts['counts']['held_out']} held out and judged by "
            f"{facts['judged_by']}, in {facts['minutes']} minutes"
        )
        self.stdout.write(comparison(outcome.before, outcome.after, outcome.gains))
        if not outcome.wins:
            self.stdout.write("Not surely better, or worse at something: nothing was written. Keep what you have.")
            return
        before = ModelCard.load(start / "card.json")
        data = [*before.data, SHOP_DATA.format(**facts["counts"]), *options["rights"]]
        facts = {**facts, "fine_tuned_from": before.label}
        metrics = {
            when: {task: {name: asdict(one) for name, one in measures.items()} for task, measures in of.items()}
            for when, of in (("shop_before", outcome.before), ("shop_after", outcome.after))
        }
        trained = replace(outcome.trained, facts=facts)
        card = with_metrics(ship(trained, options["out"], version=options["name"], data=data), metrics)
        self.stdout.write(f"{card.label}: {options['out'] / 'card.json'}")
        self.stdout.write(f"Serve it: SHOP_SEARCH_ENCODER={options['out'] / 'card.json'}, then reindex_catalog.")
        self.stdout.write("It has no attribute heads: train_attributes makes them.")


def _complain(options: dict[str, Any]) -> None:
    """Raises CommandError when a folder to learn from isn't named."""
    missing = [f"--{name}" for name in ("products", "views", "backgrounds") if options[name] is None]
    if missing:
        raise CommandError(f"Name {', '.join(missing)}, or a shop's --catalog.")


def comparison(before: Measures, after: Measures, gains: Mapping[str, Any]) -> str:
    """Returns one row per task, before and after, and whether the difference is sure."""
    lines = [f"{'task':8}{'':8}{'n':>6}{'R@1':>8}{'R@5':>8}{'R@10':>8}{'R@20':>8}{'mAP':>8}"]
    for task in before:
        for when, of in (("before", before[task]), ("after", after[task])):
            numbers = "".join(f"{of[name].value:8.3f}" for name in of)
            lines.append(f"{task:8}{when:8}{of['recall@1'].n:6}{numbers}")
        gain = gains[task]
        verdict = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no sure difference"
        lines.append(f"{'':16}reciprocal rank {gain.value:+.3f}, 95 % {gain.low:+.3f} to {gain.high:+.3f}: {verdict}")
    return "\n".join(lines)
