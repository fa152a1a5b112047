import json
from pathlib import Path

import pytest
from django.conf import settings as project

from catalog.models import Version
from catalog.versions import propose
from shop_search.errors import InputError

WEIGHTS = {"appearance": 0.7, "color": 0.1, "attributes": 0.1, "quality": 0.1}
THRESHOLDS = {"same_photo": 0.9, "same_product": 0.5, "similar": 0.2}


def refusal(kind: str, options: object, name: str = "one") -> str:
    with pytest.raises(InputError) as refused:
        propose(kind, name=name, options=options, by=None)  # type: ignore[arg-type]
    assert not Version.objects.filter(name="one").exists()
    return refused.value.code


def test_weights_and_thresholds_are_ready_at_once_and_a_model_is_to_be_built(shop, admin):
    assert propose("ranking", name="w", options=WEIGHTS, by=admin).state == "ready"
    assert propose("bands", name="b", options=THRESHOLDS, by=admin).state == "ready"
    assert propose("encoder", name="e", options={"version": "2"}, by=admin).state == "draft"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {**WEIGHTS, "appearance": 0.9},
        {**WEIGHTS, "appearance": -0.1},
        {**WEIGHTS, "luck": 0.0},
        {key: one for key, one in WEIGHTS.items() if key != "color"},
        {**WEIGHTS, "color": "0.1"},
        {**WEIGHTS, "color": float("nan")},
        {**WEIGHTS, "color": True},
        ["appearance"],
    ],
)
def test_weights_that_are_no_weights_are_refused(shop, options):
    assert refusal("ranking", options) in ("options_invalid", "weights_invalid", "number_invalid")


@pytest.mark.parametrize(
    "options",
    [
        {**THRESHOLDS, "same_product": 0.95},
        {**THRESHOLDS, "similar": 2},
        {"same_photo": 0.9},
        {**THRESHOLDS, "by_category": {"shoes": {"same_photo": 0.9}}},
        {**THRESHOLDS, "by_category": {"shoes": {**THRESHOLDS, "similar": 0.6}}},
        {**THRESHOLDS, "by_category": ["shoes"]},
    ],
)
def test_thresholds_that_do_not_fall_are_refused(shop, options):
    assert refusal("bands", options) in ("thresholds_invalid", "number_invalid")


def test_a_kind_or_an_option_that_nobody_knows_is_refused(shop):
    assert refusal("hat", WEIGHTS) == "kind_unknown"
    assert refusal("encoder", {"version": "2", "url": "http://evil.example"}) == "options_unknown"


def test_a_name_is_needed_and_stands_for_one_version(shop):
    assert refusal("ranking", WEIGHTS, name=" ") == "name_invalid"
    propose("ranking", name="taken", options=WEIGHTS, by=None)
    assert refusal("ranking", WEIGHTS, name="taken") == "version_exists"


class TestACard:
    """Of a real model: what is bundled, and what was spoiled."""

    @pytest.fixture(autouse=True)
    def _real_models(self, shop, settings):
        bundled = Path(project.BASE_DIR) / "embeddings" / "weights" / "card.json"
        settings.ENCODER = {
            "BACKEND": "embeddings.backends.openvino.OpenVINOEncoder",
            "OPTIONS": {"card": bundled},
        }

    def test_that_is_not_there_or_no_card_is_refused(self, tmp_path):
        assert refusal("encoder", {"card": str(tmp_path / "none.json")}) == "card_unreadable"
        (tmp_path / "card.json").write_text("[]")
        assert refusal("encoder", {"card": str(tmp_path / "card.json")}) == "card_unreadable"

    def test_of_a_detector_is_no_encoder(self):
        card = Path(project.BASE_DIR) / "detection" / "weights" / "card.json"
        assert refusal("encoder", {"card": str(card)}) == "card_of_another_kind"

    def test_whose_weights_are_gone_or_changed_is_refused(self, tmp_path):
        bundled = Path(project.BASE_DIR) / "embeddings" / "weights"
        card = json.loads((bundled / "card.json").read_text())
        (tmp_path / "card.json").write_text(json.dumps(card))
        assert refusal("encoder", {"card": str(tmp_path / "card.json")}) == "model_file_missing"
        for entry in card["files"].values():
            (tmp_path / entry["path"]).write_bytes(b"no weights")
        assert refusal("encoder", {"card": str(tmp_path / "card.json")}) == "model_file_damaged"

    def test_that_is_whole_is_taken_with_its_fingerprint(self):
        card = Path(project.BASE_DIR) / "embeddings" / "weights" / "card.json"
        version = propose("encoder", name="bundled", options={"card": str(card)}, by=None)
        assert version.fingerprint == json.loads(card.read_text())["fingerprint"]
