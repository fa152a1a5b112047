"""Each system check is silent on a good installation and names its fault on a bad one."""

import json
from pathlib import Path

import pytest
from django.core import checks as framework
from pytest_django import Settings

from catalog import checks

CARD = {
    "name": "tiny",
    "kind": "detector",
    "version": "1",
    "license": "AGPL-3.0-or-later",
    "files": {"model": {"path": "tiny.xml", "sha256": "0" * 64}},
    "preprocessing": {},
}


def ids(messages: list[framework.CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.fixture
def card(tmp_path: Path, settings: Settings) -> Path:
    """A detector's card with its file, set as the project's detector; the encoder is left out."""
    path = tmp_path / "card.json"
    path.write_text(json.dumps(CARD))
    (tmp_path / "tiny.xml").write_text("<net/>")
    settings.DETECTOR = {"BACKEND": "a.B", "OPTIONS": {"card": str(path)}}
    settings.ENCODER = {"BACKEND": "a.B"}
    return path


def test_every_check_has_a_hint_and_runs_with_manage_check(settings: Settings, tmp_path: Path) -> None:
    settings.SHOP_SEARCH_HOME = tmp_path / "gone"
    settings.DETECTOR = None
    settings.ENCODER = {"BACKEND": "a.B", "OPTIONS": {"card": tmp_path / "no-card.json"}}
    settings.VECTOR_STORE = {"BACKEND": "a.B", "OPTIONS": {"url": "qdrant:6333"}}
    found = framework.run_checks(tags=["shop_search"])
    assert sorted(filter(None, ids(found))) == ["catalog.E001", "catalog.E002", "catalog.W001", "catalog.W003"]
    assert all(message.hint for message in found)


@pytest.mark.parametrize("config", [None, "a.B", {}, {"BACKEND": 3}, {"BACKEND": "a.B", "OPTIONS": ["card"]}])
def test_a_malformed_backend_setting_is_an_error(settings: Settings, config: object) -> None:
    settings.VECTOR_STORE = config
    assert ids(checks.check_backends(None)) == ["catalog.E002"]


def test_a_model_with_its_files_passes(card: Path) -> None:
    assert checks.check_models(None) == []


def test_a_missing_weight_file_is_named(card: Path) -> None:
    (card.parent / "tiny.xml").unlink()
    (found,) = checks.check_models(None)
    assert found.id == "catalog.W002"
    assert "tiny.xml" in found.msg


@pytest.mark.parametrize("damaged", ["{", "[]", json.dumps({**CARD, "kind": "encoder"})])
def test_an_unusable_card_is_a_warning_that_lets_training_run(card: Path, damaged: str) -> None:
    card.write_text(damaged)
    (found,) = checks.check_models(None)
    assert found.id == "catalog.W001"
    assert not found.is_serious()
    assert "export_detector" in str(found.hint)


@pytest.mark.parametrize("url", ["http://qdrant:6333", "https://qdrant.example"])
def test_a_server_address_passes(settings: Settings, url: str) -> None:
    settings.VECTOR_STORE = {"BACKEND": "a.B", "OPTIONS": {"url": url}}
    assert checks.check_vector_store(None) == []


@pytest.mark.parametrize(("hosts", "expected"), [(["localhost"], []), (["shop.example"], ["catalog.W004"])])
def test_tracebacks_are_for_this_machine_only(settings: Settings, hosts: list[str], expected: list[str]) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = hosts
    assert ids(checks.check_debug(None)) == expected
