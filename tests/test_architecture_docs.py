"""What the documentation says must be so: its settings, commands, targets and links exist, and none is left out."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from shop_search.model_card import ModelCard

ROOT = Path(settings.BASE_DIR)
OUR_APPS = ("catalog", "detection", "embeddings")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DEPLOYMENT = ROOT / "docs" / "deployment.md"


def own_environment_variables() -> set[str]:
    """Returns every name that product code reads from the environment."""
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("shop_search", *OUR_APPS)
        for path in (ROOT / package).rglob("*.py")
    )
    return set(re.findall(r"""environ(?:\.get)?[(\[]\s*["']((?:SHOP_SEARCH|QDRANT)_[A-Z_]+)["']""", code))


def test_there_are_settings_to_document() -> None:
    assert {"SHOP_SEARCH_HOME", "QDRANT_URL"} <= own_environment_variables()


def test_every_setting_is_documented() -> None:
    text = DEPLOYMENT.read_text(encoding="utf-8")
    assert {name for name in own_environment_variables() if f"`{name}`" not in text} == set()


def test_no_documented_setting_is_made_up() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    documented = set(re.findall(r"\b(?:SHOP_SEARCH|QDRANT)_[A-Z_]+\b", text))
    assert {name for name in documented - own_environment_variables() if name not in makefile} == set()


def test_every_command_of_ours_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    ours = {name for name, app in get_commands().items() if app in OUR_APPS}
    assert {name for name in ours if not re.search(rf"`(?:manage\.py )?{name}\b", text)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_commands_and_targets_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) - set(get_commands()) == set()
    assert set(re.findall(r"`make ([a-z]+)|^\s*make ([a-z]+)", text, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_links_only_to_files_that_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset|href)=\"([^\"#]+)\"", text)
    local = [link for pair in links for link in pair if link and not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_readme_gives_the_bundled_models_measures_as_their_cards_do() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    detector = ModelCard.load(ROOT / "detection" / "weights" / "card.json").metrics
    street, drawn = detector["street"], detector["drawn"]
    encoder = ModelCard.load(ROOT / "embeddings" / "weights" / "card.json").metrics
    views, plain = encoder["views_crop"]["recall@1"], encoder["plain_backbone"]["views_crop"]["recall@1"]
    bad = encoder["degraded"]["recall@1"]
    rows = [
        f"| detector, mAP50, street photos | {street['map50']:.3f} | {street['images']} photos |",
        f"| detector, mAP50, drawn scenes | {drawn['map50']:.3f} | {drawn['images']} scenes |",
        f"| encoder, recall@1, another view of a real product | {views['value']:.3f} | {views['n']} products |",
        f"| encoder, recall@1, rendered bad phone photo among 5,166 photos | {bad['value']:.3f} | {bad['n']} ",
        f"| the same, plain pretrained backbone | {plain['value']:.3f} | {plain['n']} products |",
    ]
    assert [row for row in rows if row not in text] == []
