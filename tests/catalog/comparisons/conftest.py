from pathlib import Path
from typing import Any

import pytest

from catalog.indexing.index import index_all
from catalog.models import Version
from catalog.versions import propose
from catalog.versions.beside import build
from tests.catalog.shop import Shop, open_shop


@pytest.fixture
def shop(db, settings: Any, tmp_path: Path) -> Shop:
    """Twelve products, each with a second photo: the same drawing in another size."""
    shop = open_shop(settings, tmp_path)
    for n in range(12):
        shop.feed.add(f"P-{n}", seed=n, additional_image_link=f"P-{n}-b.png")
        shop.feed.draw(f"P-{n}-b.png", seed=n, size=(120, 120))
    shop.upload()
    index_all()
    return shop


def built(version: str) -> Version:
    made = propose("encoder", name=f"fake {version}", options={"version": version}, by=None)
    build(made)
    return made
