from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from catalog.models import Comparison, LiveVersion, Version
from catalog.versions import propose
from tests.catalog.shop import Shop, open_shop


@pytest.fixture
def shop(db, settings: Any, tmp_path: Path) -> Shop:
    return open_shop(settings, tmp_path)


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_user("ada", is_staff=True)


def proposed(version: str, *, name: str | None = None, kind: str = "encoder") -> Version:
    """Returns a proposed fake model."""
    return propose(kind, name=name or f"fake {version}", options={"version": version}, by=None)


def let_through(version: Version, *, difference: float = 0.05, low: float = 0.01, n: int = 200) -> Comparison:
    """Keeps a comparison of these numbers with what is live now."""
    live = LiveVersion.objects.filter(pk=version.kind).first()
    measure = {"all": {"n": n, "difference": difference, "low": low, "high": difference + 0.04}}
    return Comparison.objects.create(
        version=version,
        against=live.version if live else None,
        against_label="live",
        queries=n,
        report={
            "measures": dict.fromkeys(("recall@1", "recall@5", "ndcg@10", "band_right"), measure),
            "latency_ms": {"before": {"p50": 10.0}, "after": {"p50": 11.0}},
        },
    )
