from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import pytest
from django.core.management import call_command
from PIL import Image, ImageDraw

from detection.types import Box

pytest.importorskip("cv2", reason="OpenCV comes with the 'train' extra")

from detection.training.dataset import Label, Sample, read, write, write_yaml
from detection.training.pasting import paste, places

TOP, SHOES = Label("tops", (0.3, 0.2, 0.7, 0.5)), Label("shoes", (0.4, 0.9, 0.6, 1.0))
AT_HIP: Box = (0.6, 0.5, 0.8, 0.6)
RED = (200, 20, 20)


def person(folder: Path, name: str, *more: Label, labels: Sequence[Label] = (TOP, SHOES)) -> Sample:
    """A gray photo of 200 x 400 pixels with somebody on it."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.png"
    Image.new("RGB", (200, 400), (120, 120, 120)).save(path)
    return Sample(path, (*labels, *more))


def red_cut() -> Image.Image:
    return Image.new("RGBA", (80, 80), (*RED, 255))


def test_a_place_is_told_in_heights_from_neckline_to_feet(tmp_path: Path) -> None:
    [place] = places([person(tmp_path, "a", Label("bags", AT_HIP))], "bags")
    assert astuple(place) == pytest.approx((0.125, 0.4375, 0.125))


def test_of_two_bags_nobody_knows_whose_they_are(tmp_path: Path) -> None:
    sample = person(tmp_path, "a", Label("bags", AT_HIP), Label("bags", (0.1, 0.5, 0.2, 0.6)))
    assert places([sample], "bags") == []


def test_a_photo_without_feet_tells_no_place(tmp_path: Path) -> None:
    assert places([person(tmp_path, "a", Label("bags", AT_HIP), labels=[TOP])], "bags") == []


def test_a_bag_hangs_where_others_have_theirs(tmp_path: Path) -> None:
    people = [person(tmp_path, "with", Label("bags", AT_HIP)), person(tmp_path, "without")]
    [made] = paste(people, {"bags": [red_cut()]}, tmp_path / "made", per_category=5)
    assert made.image.name == "bags-without.jpg"
    box = made.labels[-1].box
    assert made.labels[:-1] == (TOP, SHOES)
    assert made.labels[-1].category == "bags"
    assert ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) == pytest.approx((0.7, 0.55), abs=0.01)
    with Image.open(made.image) as image:
        inside = image.getpixel((140, 220))
        outside = image.getpixel((20, 220))
    assert isinstance(inside, tuple)
    assert inside[0] > 3 * inside[1]
    assert outside == (120, 120, 120)


def test_who_has_a_bag_gets_no_second(tmp_path: Path) -> None:
    people = [person(tmp_path, "with", Label("bags", AT_HIP))]
    assert paste(people, {"bags": [red_cut()]}, tmp_path / "made", per_category=5) == []


def test_what_is_covered_is_no_longer_to_be_found(tmp_path: Path) -> None:
    people = [
        person(tmp_path, "with", Label("bags", AT_HIP)),
        person(tmp_path, "without", Label("shorts", (0.66, 0.53, 0.74, 0.57))),
    ]
    [made] = paste(people, {"bags": [red_cut()]}, tmp_path / "made", per_category=5)
    assert [label.category for label in made.labels] == ["tops", "shoes", "bags"]


def test_a_thing_that_the_picture_would_cut_is_not_pasted(tmp_path: Path) -> None:
    aside = [Label("tops", (0.8, 0.2, 1.0, 0.5)), Label("shoes", (0.8, 0.9, 1.0, 1.0))]
    people = [person(tmp_path, "with", Label("bags", AT_HIP)), person(tmp_path, "without", labels=aside)]
    assert paste(people, {"bags": [red_cut()]}, tmp_path / "made", per_category=5) == []
    assert list((tmp_path / "made").iterdir()) == []


def test_no_category_gets_more_pictures_than_asked_for(tmp_path: Path) -> None:
    people = [person(tmp_path, "with", Label("bags", AT_HIP)), *(person(tmp_path, f"p{i}") for i in range(6))]
    assert len(paste(people, {"bags": [red_cut()]}, tmp_path / "made", per_category=4)) == 4


def test_the_same_seed_makes_the_same_pictures(tmp_path: Path) -> None:
    people = [person(tmp_path, "with", Label("bags", AT_HIP)), *(person(tmp_path, f"p{i}") for i in range(6))]
    goods = {"bags": [red_cut(), Image.new("RGBA", (80, 40), (20, 20, 200, 255))]}
    first, again, other = (
        paste(people, goods, tmp_path / name, per_category=4, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert [s.labels for s in first] == [s.labels for s in again]
    assert [s.image.read_bytes() for s in first] == [s.image.read_bytes() for s in again]
    assert [s.labels for s in first] != [s.labels for s in other]


def test_the_command_writes_a_dataset_that_can_be_read(tmp_path: Path) -> None:
    people = [person(tmp_path / "photos", "with", Label("bags", AT_HIP)), person(tmp_path / "photos", "without")]
    studio = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(studio).rectangle((30, 30, 89, 89), fill=RED)
    studio.save(tmp_path / "bag.png")
    bag = Sample(tmp_path / "bag.png", (Label("bags", (0.25, 0.25, 0.75, 0.75)),))
    for name, samples in (("street", people), ("packshots", [bag])):
        write(samples, tmp_path / name, "train")
        write((), tmp_path / name, "val")
        write_yaml(tmp_path / name)
    data = [tmp_path / name / "data.yaml" for name in ("street", "packshots")]
    call_command("paste_products", *data, into=tmp_path / "pasted", rights="ours", category=["bags"])
    made = read(tmp_path / "pasted" / "data.yaml")
    assert made.rights == "ours"
    [sample] = made.samples("train")
    assert [label.category for label in sample.labels] == ["tops", "shoes", "bags"]
