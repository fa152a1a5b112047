"""Labels from a catalog, heads from embeddings whose answer is known, and the whole command on a few pictures."""

import csv
import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

pytest.importorskip("torch", reason="torch comes with the 'train' extra")
pytest.importorskip("timm", reason="timm comes with the 'train' extra")

from embeddings.attributes import OTHER, Head, attributes
from embeddings.training import attribute_heads, attribute_labels, drawn
from embeddings.training import attributes as training
from embeddings.training.attribute_heads import calibration_error, fit
from embeddings.training.attribute_labels import Labels, index_in, pattern_in, read_labels, values_of
from embeddings.training.attribute_scores import score
from fixtures import demo_products
from shop_search.errors import InputError
from tests.embeddings.training.conftest import picture
from tests.fakes import FakeEncoder


@pytest.mark.parametrize(
    ("title", "pattern"),
    [
        ("Lee Women Check Blue Shirts", "checked"),
        ("Men Pinstripe Shirt", "striped"),
        ("Striped and Printed Top", None),
        ("Paul Stripeson Shirt", None),
        ("Puma Women Solid Purple Jackets", "plain"),
        ("Puma Women Purple Jackets", None),
    ],
)
def test_a_pattern_is_known_where_the_title_names_one(title, pattern):
    assert pattern_in(title) == pattern


def test_labels_are_the_names_that_shoppers_filter_by(products):
    path = products / "catalogue.csv"
    path.write_text("title,gender,article_type,colour\nA,Men,Casual  Shoes,Navy Blue\nB,NA,,NA\n")
    assert read_labels(products) == [Labels("men", "casual shoes", "navy", None), Labels()]


def test_labels_that_are_not_there_are_missed(products):
    (products / "catalogue.csv").write_text("title,gender\nA,Men\n")
    with pytest.raises(InputError, match="colour"):
        read_labels(products)


def test_seldom_types_become_other_and_seldom_colors_nothing(monkeypatch):
    monkeypatch.setattr(attribute_labels, "LEAST_TITLES", 2)
    labels = [Labels(article_type="shirts", color="red")] * 2 + [Labels(article_type="capes", color="gold")]
    assert values_of(labels, "article_type") == ("shirts", OTHER)
    assert values_of(labels, "color") == ("red",)
    assert [index_in(("shirts", OTHER), name) for name in ("shirts", "capes", None)] == [0, 1, -1]
    assert index_in(("red",), "gold") == -1


def blobs(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Returns unit rows of three overlapping classes."""
    dice = np.random.default_rng(seed)
    truth = dice.integers(3, size=n)
    rows = np.random.default_rng(9).normal(size=(3, 8))[truth] + dice.normal(size=(n, 8)) * 1.2
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), truth


def test_a_head_learns_what_the_rows_say_and_knows_how_sure_it_is():
    fitted = fit(("a", "b", "c"), blobs(1), blobs(2))
    rows, truth = blobs(3, 3000)
    confidences = fitted.head(rows)
    assert (confidences.argmax(axis=1) == truth).mean() > 0.7
    assert calibration_error(confidences, truth) < 0.05


def test_a_head_that_is_always_sure_and_half_wrong_is_badly_calibrated():
    confidences = np.array([[1.0, 0.0]] * 10)
    assert calibration_error(confidences, np.array([0, 1] * 5)) == pytest.approx(0.5)


def test_scores_count_only_what_is_served():
    head = Head(("a", "b", OTHER), np.eye(3, dtype=np.float32) * 10, np.zeros(3, np.float32))
    rows = np.concatenate([np.eye(3), np.eye(3), np.zeros((1, 3))]).astype(np.float32)
    found = score(head, (rows, np.array([0, 1, 2, 1, 1, 2, 0])))
    assert found["n"] == 7
    assert found["served"] == {"confidence": 0.5, "share": round(4 / 7, 4), "precision": 0.75, "recall": 0.6}
    assert found["values"] == {
        "a": {"n": 2, "precision": 0.5, "recall": 0.5},
        "b": {"n": 3, "precision": 1.0, "recall": 0.6667},
    }


@pytest.fixture
def arguments(products, tmp_path, settings, monkeypatch) -> list[str]:
    """Two hundred products whose color is what their picture shows."""
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    settings.ENCODER = {"BACKEND": "tests.embeddings.training.test_attributes.Shelved", "OPTIONS": {"folder": tmp_path}}
    monkeypatch.setattr(training, "LEAST_PRODUCTS", 200)
    monkeypatch.setattr(attribute_labels, "LEAST_TITLES", 5)
    monkeypatch.setattr(training, "LEAST_TITLES", 5)
    monkeypatch.setattr(attribute_heads, "RIDGES", (1e-3,))  # five fits for each head would take a while
    monkeypatch.setattr(drawn, "products", lambda: demo_products()[:2])
    with (products / "catalogue.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "image", "title", "category", "gender", "article_type", "colour"])
        for index in range(200):
            light = index % 2
            image = Image.new("RGB", (60, 80), "white")
            image.paste(
                (230, 20 + index % 20, 30 + index // 10) if light else (20 + index // 10, 30, 30 + index % 20),
                (12, 16, 48, 64),
            )
            image.save(products / "images" / f"{index}.png")
            what = ["Solid", "Striped"][light]
            rows.writerow(
                [index, f"images/{index}.png", f"{what} thing {index}", "top", ["Men", "Women"][light],
                 ["Shirts", "Tops"][light], ["Black", "Red"][light]]
            )  # fmt: skip
    for name in ("train", "val"):
        (tmp_path / name).mkdir()
        picture(7, (160, 200)).save(tmp_path / name / "street.jpg")
    return [
        "train_attributes", "--products", str(products), "--backgrounds", str(tmp_path / "train"),
        "--streets", str(tmp_path / "val"), "--work", str(tmp_path / "work"), "--json",
    ]  # fmt: skip


class Shelved(FakeEncoder):
    """A fake encoder whose card lies in a folder."""

    def __init__(self, folder) -> None:
        super().__init__()
        from dataclasses import replace

        self.card = replace(self.card, folder=folder)


def test_the_command_makes_heads_that_serve(arguments, tmp_path):
    out = StringIO()
    call_command(*arguments, stdout=out)
    metrics = json.loads(out.getvalue())
    assert metrics["color"]["catalog_photo"]["accuracy"]["value"] > 0.9
    assert set(metrics["gender"]) == {"catalog_photo", "bad_phone_photo"}
    card = json.loads((tmp_path / "attributes" / "card.json").read_text())
    assert (card["kind"], card["metrics"]) == ("attributes", metrics)
    red = Image.new("RGB", (60, 80), "white")
    red.paste((230, 45, 30), (12, 16, 48, 64))
    (found,) = attributes(FakeEncoder().encode_images([red.crop((12, 16, 48, 64))]))
    assert (found.colors[0].value, found.gender.value, found.pattern.value) == ("red", "women", "striped")


def test_a_second_run_embeds_nothing_again_and_makes_the_same_file(arguments, tmp_path, monkeypatch):
    call_command(*arguments, stdout=StringIO())
    first = (tmp_path / "attributes" / "heads.npz").read_bytes()
    monkeypatch.setattr(FakeEncoder, "encode_images", lambda *_: pytest.fail("embedded again"))
    call_command(*arguments, stdout=StringIO())
    assert (tmp_path / "attributes" / "heads.npz").read_bytes() == first


def test_a_catalog_that_is_too_small_is_refused(arguments, monkeypatch):
    monkeypatch.setattr(training, "LEAST_PRODUCTS", 201)
    with pytest.raises(CommandError, match="201 are needed"):
        call_command(*arguments)
