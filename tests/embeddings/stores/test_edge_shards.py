from pathlib import Path

import numpy as np
import pytest

from embeddings.stores import edge_shards
from embeddings.stores.edge_shards import Collections
from embeddings.types import Where


def test_a_field_that_an_earlier_version_did_not_filter_by_is_indexed_when_the_shard_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_shards, "INDEXED_FIELDS", {"brand": "keyword"})
    made = Collections(tmp_path)
    made.ensure("shoes", {"clip": 4})
    rows = np.eye(4, dtype=np.float32)[:2]
    made.get("shoes").upsert([1, 2], [{"pattern": "striped"}, {"pattern": "plain"}], {"clip": rows})
    made.close()
    monkeypatch.undo()

    opened = Collections(tmp_path)
    shoes = opened.get("shoes")

    assert "pattern" in shoes._shard.info().payload_schema
    (hit,) = shoes.query(rows[1], using="clip", limit=5, where=Where(match={"pattern": ("striped",)}))
    assert hit.id == 1
    opened.close()
