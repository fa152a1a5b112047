import pytest

from detection.categories import DETECTED, NAMES, category_of


def test_a_category_slug_is_its_own_name() -> None:
    assert [category_of(slug) for slug in DETECTED] == list(DETECTED)


def test_the_class_names_of_the_training_data_map_in_class_order() -> None:
    theirs = ["sunglass", "hat", "jacket", "shirt", "pants", "shorts", "skirt", "dress", "bag", "shoe"]
    assert tuple(category_of(name) for name in theirs) == DETECTED


@pytest.mark.parametrize("name", ["Sunglass", " DRESS ", "Handbag", "Footwear", "Jeans"])
def test_case_and_spaces_in_a_class_name_do_not_matter(name: str) -> None:
    assert category_of(name) in DETECTED


@pytest.mark.parametrize("name", ["", "watch", "person", "shoe box"])
def test_an_unknown_class_is_none_of_ours(name: str) -> None:
    assert category_of(name) is None


def test_every_category_has_a_name_for_people() -> None:
    assert set(NAMES) == set(DETECTED)
