"""A trained model meets a shop's catalog: what is refused, what the map on top does, and who wins."""

import csv
import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

timm = pytest.importorskip("timm", reason="timm comes with the 'train' extra")
pytest.importorskip("torch", reason="torch comes with the 'train' extra")
pytest.importorskip("open_clip", reason="open_clip comes with the 'train' extra")

from embeddings.backends.openvino import OpenVINOEncoder  # noqa: E402
from embeddings.measures import Measure  # noqa: E402
from embeddings.training import fine_tune, model, shop_catalog  # noqa: E402
from embeddings.training.fine_tune import Outcome, leaning  # noqa: E402
from embeddings.training.projection import Projection  # noqa: E402
from embeddings.training.shop_catalog import read_shop  # noqa: E402
from embeddings.training.text import TOKENIZER_NAME, train_tokenizer  # noqa: E402
from shop_search.errors import InputError  # noqa: E402
from shop_search.model_card import ModelCard  # noqa: E402
from tests.embeddings.training.conftest import COLORS, THINGS, picture  # noqa: E402

PRODUCTS = 40


@pytest.fixture
def shop(tmp_path: Path, monkeypatch) -> Path:
    """Forty products with two photos each, and the CSV that names them."""
    monkeypatch.setattr(shop_catalog, "LEAST_PRODUCTS", PRODUCTS)
    folder = tmp_path / "shop"
    folder.mkdir()
    with (folder / "my.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["SKU", "image", "title", "product_type", "color"])
        for index in range(PRODUCTS):
            for side in (0, 1):
                picture(index, (60 + 10 * side, 80)).save(folder / f"{index}_{side}.png")
                color = COLORS[index % 4]
                title = f"Acme {color} {THINGS[index % 3]} {index}"
                rows.writerow([f"A-{index}", f"{index}_{side}.png", title, "Shoes", color])
    return folder / "my.csv"


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """The folder of a model with random weights, as train_encoder leaves one."""
    folder = tmp_path / "start"
    config = model.read_config()
    model.save(model.build(config), config, folder)
    train_tokenizer(["acme red shoes", "acme blue handbags"]).save(str(folder / TOKENIZER_NAME))
    ModelCard(name="e", kind="encoder", version="7", license="", files={}, preprocessing={}, data=("before",)).save(
        folder / "card.json"
    )
    return folder


@pytest.fixture
def arguments(shop, start, tmp_path, settings, monkeypatch) -> list[str]:
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    monkeypatch.setattr(fine_tune, "STREETS", 2)
    monkeypatch.setattr(fine_tune, "STRENGTHS", (0.0, 0.5))
    return [
        "train_encoder", "--from", str(start), "--catalog", str(shop), "--out", str(tmp_path / "out"),
        "--work", str(tmp_path / "work"), "--text-epochs", "1", "--name", "8",
    ]  # fmt: skip


def test_a_shops_rows_become_products_with_their_photos(shop):
    products = read_shop(shop)
    assert [len(pictures) for pictures in products] == [2] * PRODUCTS
    first = products[0][0]
    assert (first.product, first.title, first.category, first.words) == (
        "shop/A-0", f"Acme {COLORS[0]} {THINGS[0]} 0", "shoes", (COLORS[0],),
    )  # fmt: skip
    assert all(one.held_out == other.held_out for one, other in products)
    assert 0 < sum(pictures[0].held_out for pictures in products) < PRODUCTS / 2


def test_a_few_pictures_that_do_not_open_are_left_out(shop):
    (shop.parent / "3_1.png").write_bytes(b"no picture")
    assert [len(pictures) for pictures in read_shop(shop)].count(1) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: "", "catalog_unreadable"),
        (lambda text: text.replace("title", "words"), "column_missing"),
        (lambda text: text + "A-1,x.png\n", "row_malformed"),
        (lambda text: text.replace("5_0.png", "https://shop.example/5.png"), "image_remote"),
        (lambda text: text.replace("_0.png", "_lost.png"), "image_missing"),
        (lambda text: "\n".join(text.splitlines()[:21]), "catalog_too_small"),
    ],
)
def test_a_catalog_that_cannot_teach_is_refused(shop, change, code):
    shop.write_text(change(shop.read_text()))
    with pytest.raises(InputError) as caught:
        read_shop(shop)
    assert caught.value.code == code


def test_a_folder_is_no_catalog(tmp_path):
    with pytest.raises(InputError, match="Can't read"):
        read_shop(tmp_path)


def test_leaning_with_no_strength_changes_nothing():
    old = Projection(np.eye(6, 9, dtype=np.float32), np.zeros(6, np.float32))
    assert leaning(old, np.ones((5, 9), np.float32), np.zeros((5, 2, 9), np.float32), strength=0.0) is old


def test_leaning_counts_less_what_differs_between_photos_of_one_product():
    dice = np.random.default_rng(0)
    products = dice.normal(size=(300, 6)) * [0, 0, 0, 1, 1, 1]
    photos = (products[:, None] + dice.normal(size=(300, 3, 6)) * [4, 4, 4, 0.1, 0.1, 0.1]).astype(np.float32)
    old = Projection(np.eye(6, dtype=np.float32), np.zeros(6, np.float32))

    def found(projection: Projection) -> float:
        rows = projection(photos[200:])
        return float(np.mean((rows[:, 0] @ rows[:, 1].T).argmax(axis=1) == np.arange(100)))

    new = leaning(old, photos[:200, 0], photos[:200, 1:], strength=0.98)
    assert found(new) > found(old) + 0.2


@pytest.mark.parametrize(
    ("gains", "wins"),
    [
        ([(0.01, 0.05), (-0.01, 0.02)], True),
        ([(0.01, 0.05), (-0.05, -0.01)], False),
        ([(-0.01, 0.05), (-0.01, 0.02)], False),
        ([(0.0, 0.0), (0.0, 0.0)], False),
    ],
)
def test_only_what_is_surely_better_and_nowhere_surely_worse_wins(gains, wins):
    measured = {str(index): Measure((low + high) / 2, low, high, 50) for index, (low, high) in enumerate(gains)}
    assert Outcome(trained=None, before={}, after={}, gains=measured).wins is wins  # type: ignore[arg-type]


def test_what_does_not_win_by_the_shops_second_photos_is_not_written(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(fine_tune, "SECOND_PHOTOS", 1)
    monkeypatch.setattr(Outcome, "wins", property(lambda self: False))
    out = StringIO()
    call_command(*arguments, stdout=out)
    assert "judged by second photos" in out.getvalue()
    assert "nothing was written" in out.getvalue()
    assert out.getvalue().count("before") == out.getvalue().count("after") == 2
    assert not (tmp_path / "out").exists()


def test_what_wins_is_exported_with_before_and_after_on_its_card(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(Outcome, "wins", property(lambda self: True))
    call_command(*arguments, stdout=StringIO())
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["training"]["fine_tuned_from"].startswith("e-7@")
    assert card["training"]["judged_by"] == "bad phone photos"
    assert set(card["metrics"]) == {"shop_before", "shop_after"}
    assert card["data"][0] == "before"
    assert OpenVINOEncoder(tmp_path / "out" / "card.json").encode_texts(["red shoes"]).shape == (1, 512)


@pytest.mark.parametrize(
    ("arguments_", "message"),
    [
        (["--from", "nowhere", "--catalog", "no.csv"], "no.csv"),
        (["--backbone", "x", "--catalog", "no.csv"], "--from"),
        (["--from", "bundled"], "--products, --views, --backgrounds"),
    ],
)
def test_a_mistake_in_the_command_is_a_sentence(arguments_, message):
    with pytest.raises(CommandError, match=message):
        call_command("train_encoder", *arguments_, "--out", "x")
