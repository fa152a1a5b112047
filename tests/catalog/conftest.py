import pytest

from tests.catalog.jobs.kinds import Kinds, use_kinds
from tests.catalog.shelf import Shelf


@pytest.fixture
def shelf(db, settings, tmp_path) -> Shelf:
    """An empty shop on fake models and a fake store."""
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder"}
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore"}
    settings.BAND_THRESHOLDS = {"same_photo": 0.999, "same_product": 0.95, "similar": 0.5}
    settings.MEDIA_ROOT = tmp_path
    return Shelf()


@pytest.fixture
def kinds(monkeypatch) -> Kinds:
    """Kinds of job that only tests have, in the place of the product's."""
    return use_kinds(monkeypatch)
