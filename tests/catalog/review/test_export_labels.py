"""Corrections as a dataset for the detector, read by the very functions that training and evaluation read with."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from catalog.curation.corrections import apply, correct_picture, correct_search
from catalog.models import CategoryName, ProductImage, SearchRecord
from catalog.pictures import searched_crops
from catalog.search.answers import record
from catalog.search.questions import Question
from catalog.search.search import search
from detection.training import dataset
from embeddings.training.shop_catalog import LEAST_PRODUCTS, read_shop
from shop_search.errors import InputError
from tests.fakes import picture

BOX = [0.25, 0.25, 0.75, 0.5]


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_user("rae", is_staff=True)


@pytest.fixture
def products(shelf, settings, tmp_path):
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    return [shelf.put(f"S-{seed}", seed, seed + 50) for seed in range(4)]


def main(product, position: int = 0) -> ProductImage:
    return ProductImage.objects.select_related("product__category").get(product=product, position=position)


def exported(tmp_path: Path) -> Path:
    call_command("export_reviews", str(tmp_path / "out"), stdout=StringIO())
    return tmp_path / "out"


def samples(folder: Path) -> dict[str, list[dataset.Sample]]:
    read = dataset.read(folder / "detector" / "data.yaml")
    return {split: read.samples(split) for split in ("train", "val")}


def searched(seed: int) -> SearchRecord:
    answer = search(Question(image=picture(seed)))
    record(answer)
    searched_crops.wait()
    return SearchRecord.objects.get(pk=answer.id)


def test_a_corrected_box_is_a_label_that_training_reads(products, admin, tmp_path):
    correct_picture(main(products[0]), field="box", after=BOX, by=admin)
    correct_picture(main(products[1]), field="box", after=BOX, by=admin)

    found = samples(exported(tmp_path))

    assert {split: len(of) for split, of in found.items()} == {"train": 1, "val": 1}
    for sample in (*found["train"], *found["val"]):
        own = [label for label in sample.labels if label.box == pytest.approx(BOX, abs=1e-5)]
        assert [label.category for label in own] == ["shoes"]
        assert Image.open(sample.image).size == (96, 96)


def test_the_mix_that_a_training_starts_from_has_every_corrected_object(products, admin, tmp_path):
    for product in products:
        correct_picture(main(product), field="box", after=BOX, by=admin)
    folder = exported(tmp_path)
    mix, parts = dataset.combine([dataset.read(folder / "detector" / "data.yaml")], tmp_path / "mix")
    assert parts[0].images == 3
    assert parts[0].objects["shoes"] >= 3
    assert len(dataset.read(mix).samples("val")) == 1


def test_all_pictures_of_a_product_are_in_one_split(products, admin, tmp_path):
    for product in products:
        for position in (0, 1):
            correct_picture(main(product, position), field="box", after=BOX, by=admin)
    found = samples(exported(tmp_path))
    pk_of = {f"picture-{image.pk}": image.product_id for image in ProductImage.objects.all()}
    splits = {split: {pk_of[sample.image.stem] for sample in of} for split, of in found.items()}
    assert not splits["train"] & splits["val"]
    assert len(splits["train"] | splits["val"]) == 4


def test_what_the_detector_surely_sees_beside_the_box_is_no_background(products, admin, tmp_path):
    correct_picture(main(products[0]), field="box", after=[0.0, 0.0, 0.1, 0.1], by=admin)
    found = samples(exported(tmp_path))
    (sample,) = [*found["train"], *found["val"]]
    assert len(sample.labels) == 2


def test_a_corrected_category_names_the_object_and_the_last_word_counts(products, admin, tmp_path, shelf):
    shelf.put("B", 20, category="bags")
    shelf.put("T", 21, category="tops")
    correct_picture(main(products[0]), field="box", after=BOX, by=admin)
    correct_picture(main(products[0]), field="category", after="tops", by=admin)
    correct_picture(main(products[0]), field="category", after="bags", by=admin)
    found = samples(exported(tmp_path))
    (sample,) = [*found["train"], *found["val"]]
    assert "bags" in {label.category for label in sample.labels}
    assert "tops" not in {label.category for label in sample.labels}


def test_a_category_that_no_class_stands_for_labels_nothing(products, admin, tmp_path, shelf):
    shelf.put("W", 20, category="watches")
    correct_picture(main(products[0]), field="box", after=BOX, by=admin)
    correct_picture(main(products[0]), field="category", after="watches", by=admin)
    out = StringIO()
    call_command("export_reviews", str(tmp_path / "out"), "--json", stdout=out)
    assert '"undetectable": 1' in out.getvalue()
    assert '"pictures": 0' in out.getvalue()


def test_a_merged_category_is_labeled_by_the_class_that_stands_for_it(products, admin, tmp_path, shelf):
    shelf.put("F", 20, category="footwear")
    CategoryName.objects.create(
        kind="detected", name="shoes", category=shelf.put("G", 21, category="footwear").category
    )
    correct_picture(main(products[0]), field="box", after=BOX, by=admin)
    correct_picture(main(products[0]), field="category", after="footwear", by=admin)
    found = samples(exported(tmp_path))
    (sample,) = [*found["train"], *found["val"]]
    assert {label.category for label in sample.labels} == {"shoes"}


def test_a_shoppers_crop_is_labeled_and_its_pair_is_the_part_that_was_drawn(products, admin, tmp_path):
    kept = searched(1)
    correct_search(kept, field="box", after=[0.0, 0.0, 0.5, 0.5], by=admin)
    from catalog.review.verdicts import judge, sheet

    judge(kept.pk, product=sheet(kept.pk, admin).items[0].product["id"], verdict="same_product", reviewer=admin)
    folder = exported(tmp_path)
    found = samples(folder)
    (sample,) = [*found["train"], *found["val"]]
    assert sample.image.stem == f"search-{kept.pk}"
    whole = Image.open(sample.image)
    part = Image.open(folder / "queries" / f"{kept.pk}.jpg")
    assert (part.width, part.height) == (round(whole.width / 2), round(whole.height / 2))


def test_a_crop_that_is_no_longer_kept_is_counted(products, admin, tmp_path, settings):
    correct_search(searched(1), field="box", after=BOX, by=admin)
    settings.SEARCH_CROP_RETENTION_DAYS = 0
    searched_crops.delete_old()
    out = StringIO()
    call_command("export_reviews", str(tmp_path / "out"), "--json", stdout=out)
    assert '"gone": 1' in out.getvalue()
    assert not (tmp_path / "out" / "detector").exists()


def test_a_picture_that_was_replaced_is_not_labeled_with_the_box_of_another(products, admin, tmp_path):
    correct_picture(main(products[0]), field="box", after=BOX, by=admin)
    ProductImage.objects.update(sha256="0" * 64)
    out = StringIO()
    call_command("export_reviews", str(tmp_path / "out"), "--json", stdout=out)
    assert '"gone": 1' in out.getvalue()


def test_encoder_training_reads_the_pairs_with_their_corrected_words(shelf, admin, tmp_path):
    """Three hundred products: fewer are refused, because nobody could tell whether training helped."""
    first = shelf.put("S-0", 1)
    image = main(first)
    for number in range(1, LEAST_PRODUCTS):
        product = shelf.put(f"S-{number}", title=f"Shoe {number}")
        ProductImage.objects.create(product=product, position=0, source="x.png", file=image.file, sha256=image.sha256)
    for one in ProductImage.objects.select_related("product__category"):
        correct_picture(one, field="color", after="red", by=admin)
    correct_picture(image, field="gender", after="women", by=admin)

    found = read_shop(exported(tmp_path) / "pairs.csv")

    assert len(found) == LEAST_PRODUCTS
    words = {pictures[0].product: pictures[0].words for pictures in found}
    assert words["shop/atelier/S-0"] == ("women", "red")
    assert words["shop/atelier/S-9"] == ("red",)
    held_out = [pictures for pictures in found if pictures[0].held_out]
    assert 0.1 * LEAST_PRODUCTS < len(held_out) < 0.3 * LEAST_PRODUCTS


def test_every_correction_is_written_with_who_and_what_was_before(products, admin, tmp_path):
    made = correct_picture(main(products[0]), field="gender", after="women", by=admin)
    assert made is not None
    apply(made, by=admin)
    with (exported(tmp_path) / "corrections.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["field"], row["sku"], row["before"], row["after"], row["by"]) == (
        "gender",
        "atelier/S-0",
        "null",
        '"women"',
        "rae",
    )
    assert row["applied_at"].startswith(str(timezone.now().year))


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [0, 0, 1], [0, 0, "x", 1], [float("nan"), 0, 1, 1]])
def test_a_box_that_holds_nothing_is_refused(products, admin, box):
    with pytest.raises(InputError):
        correct_picture(main(products[0]), field="box", after=box, by=admin)
