from pathlib import Path

import pytest
from PIL import Image

from detection.training.dataset import Label, Sample, combine, labels_of, read, write, write_yaml
from shop_search.errors import InputError


def folder(root: Path, names: str, **labels: str) -> Path:
    """A dataset with one picture per keyword in train and one empty one in val; returns its data.yaml."""
    for split in ("train", "val"):
        (root / "images" / split).mkdir(parents=True)
        (root / "labels" / split).mkdir(parents=True)
    for name, text in labels.items():
        Image.new("RGB", (40, 20)).save(root / "images" / "train" / f"{name}.png")
        (root / "labels" / "train" / f"{name}.txt").write_text(text)
    Image.new("RGB", (40, 20)).save(root / "images" / "val" / "empty.jpg")
    (root / "data.yaml").write_text(f"path: .\ntrain: images/train\nval: images/val\nnames: {names}\n")
    return root / "data.yaml"


def test_classes_are_read_by_their_names_whatever_their_order(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", "{0: shoe, 1: sunglass}", x="0 0.5 0.5 0.5 0.5\n1 0.25 0.5 0.5 1\n")
    assert read(path).samples("train")[0].labels == (
        Label("shoes", (0.25, 0.25, 0.75, 0.75)),
        Label("sunglasses", (0.0, 0.0, 0.5, 1.0)),
    )


def test_objects_of_foreign_classes_are_left_out(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", "[person, bag]", x="0 0.5 0.5 1 1\n1 0.5 0.5 0.5 0.5\n")
    assert [label.category for label in read(path).samples("train")[0].labels] == ["bags"]


def test_a_picture_without_a_label_file_shows_nothing(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", "[bag]")
    assert [sample.labels for sample in read(path).samples("val")] == [()]


@pytest.mark.parametrize("line", ["5 0.5 0.5 1 1", "0 0.5 0.5 1", "bag 0.5 0.5 1 1", "0 a b c d"])
def test_a_broken_label_names_its_file_and_line(tmp_path: Path, line: str) -> None:
    path = folder(tmp_path / "a", "[bag]", x=f"0 0.5 0.5 1 1\n{line}\n")
    with pytest.raises(InputError, match=r"x\.txt, line 2"):
        read(path).samples("train")


@pytest.mark.parametrize(
    "text", ["", "names: [bag]\ntrain: nowhere\n", "train: images/train\n", "- a list\n", "a: [\n"]
)
def test_an_unreadable_yaml_is_an_input_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.code == "dataset_unreadable"


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no split 'test'"):
        read(folder(tmp_path / "a", "[bag]")).samples("test")


def test_a_dataset_that_was_moved_is_still_found(tmp_path: Path) -> None:
    path = folder(tmp_path / "a", "[bag]", x="0 0.5 0.5 1 1\n")
    path.write_text(path.read_text().replace("path: .", "path: /no/such/folder"))
    assert len(read(path).samples("train")) == 1


def test_only_the_last_images_folder_of_a_path_becomes_labels() -> None:
    assert labels_of(Path("/images/set/images/train/a.b.jpg")) == Path("/images/set/labels/train/a.b.txt")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    Image.new("RGB", (40, 20)).save(source)
    sample = Sample(source, (Label("hats", (0.1, 0.2, 0.5, 0.6)), Label("shoes", (0.0, 0.0, 1.0, 1.0))))
    counts = write([sample], tmp_path / "set", "train")
    write([], tmp_path / "set", "val")
    (back,) = read(write_yaml(tmp_path / "set", rights="CC0")).samples("train")
    assert counts == {"hats": 1, "shoes": 1}
    assert [label.category for label in back.labels] == ["hats", "shoes"]
    assert back.labels[0].box == pytest.approx((0.1, 0.2, 0.5, 0.6), abs=1e-5)


def test_datasets_with_other_orders_and_the_same_file_names_mix_into_one(tmp_path: Path) -> None:
    first = folder(tmp_path / "a", "[shoe, bag]", x="0 0.5 0.5 1 1\n")
    second = folder(tmp_path / "b", "[bag, shoe]", x="0 0.5 0.5 1 1\n", y="")
    path, parts = combine([read(first), read(second)], tmp_path / "mix")
    mixed = read(path)
    assert [[label.category for label in s.labels] for s in mixed.samples("train")] == [["shoes"], ["bags"], []]
    assert len(mixed.samples("val")) == 2
    assert [(part.name, part.images, part.objects) for part in parts] == [("a", 1, {"shoes": 1}), ("b", 2, {"bags": 1})]


def test_mixing_again_leaves_nothing_of_the_last_mix(tmp_path: Path) -> None:
    first = read(folder(tmp_path / "a", "[shoe]", x="", y=""))
    second = read(folder(tmp_path / "b", "[shoe]", z=""))
    combine([first], tmp_path / "mix")
    path, _ = combine([second], tmp_path / "mix")
    assert [sample.image.name for sample in read(path).samples("train")] == ["0_z.png"]
