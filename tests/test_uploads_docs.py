"""Runs the commands of docs/uploads.md, in their order, against a live server."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache

from catalog.models import ApiKey, Merchant, Product
from catalog.uploads.work import do_next_upload
from tests.catalog.shop import use_fakes
from tests.fakes import picture
from tests.feed_folder import FeedFolder

GUIDE = (Path(settings.BASE_DIR) / "docs" / "uploads.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.django_db(transaction=True)
def test_every_command_of_the_guide_works(live_server, settings, tmp_path):
    use_fakes(settings)
    settings.VECTOR_STORE = {"BACKEND": "tests.fakes.MemoryStore", "OPTIONS": {}}
    settings.MEDIA_ROOT, settings.UPLOADS_ROOT = tmp_path / "media", tmp_path / "uploads"
    cache.clear()
    merchant = Merchant.objects.create(slug="linden", name="Linden")
    key = ApiKey.issue(merchant, name="guide")[1]
    feed = FeedFolder(tmp_path / "feed")
    feed.add_many(3)
    feed.edit("P-0001", {"price": "cheap"})
    (tmp_path / "feed.zip").write_bytes(feed.zip())
    (tmp_path / "own_header.csv").write_text("Artikel;Bezeichnung;Foto;Preis\nP-0000;Schuh;P-0000.png;12,50\n")
    (tmp_path / "sneaker.jpg").write_bytes(picture(7, format="JPEG"))
    environment = {**os.environ, "SHOP": live_server.url, "KEY": key, "ID": ""}

    def run(command: str) -> Any:
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        body = json.loads(done.stdout) if done.stdout else {}
        while do_next_upload():
            pass
        if "/api/v1/uploads/ " in command.replace('"', " "):
            environment["ID"] = body["id"]
        return body

    sent, mapped, tried, status, canceled, _, webhook, put, repriced, _ = map(run, COMMANDS)

    assert webhook["secret"].startswith("whsec_")

    assert sent["status"] == mapped["status"] == "queued"
    assert tried["dry_run"] is True
    assert (status["status"], status["rows_failed"], canceled["status"]) == ("done", 1, "done")
    assert "price_invalid" in (tmp_path / "errors.csv").read_text(encoding="utf-8-sig")
    assert (put["change"], repriced["change"], repriced["price"]) == ("added", "changed", "39.90")
    assert Product.objects.get(sku="P-0000").title == "Schuh"
    assert Product.objects.get(sku="S-1").withdrawn_at is not None
