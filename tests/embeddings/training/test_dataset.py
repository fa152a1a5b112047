"""What is read, and that nothing held out is ever among what is trained on."""

import json

import pytest

from embeddings.training.dataset import is_held_out, read_products, read_views
from shop_search.errors import InputError


def test_two_products_of_one_title_are_on_the_same_side_of_the_split(products):
    first, second = read_products(products)[:2]
    assert first.title != second.title or first.held_out == second.held_out
    assert is_held_out("title", "a", 0.5) == is_held_out("title", "a", 0.5)


def test_the_share_that_is_held_out_is_the_share_asked_for():
    kept = [is_held_out("title", str(number), 0.1) for number in range(5000)]
    assert 0.08 < sum(kept) / len(kept) < 0.12


def test_forty_percent_of_each_category_of_views_is_held_out(views):
    sets = read_views(views)
    for category in ("tops", "shoes"):
        kept = [pictures[0].held_out for pictures in sets if pictures[0].category == category]
        assert sum(kept) == 2


def test_all_pictures_of_a_product_are_on_the_same_side(views):
    for pictures in read_views(views):
        assert len({picture.held_out for picture in pictures}) == 1


def test_the_split_does_not_depend_on_the_order_of_the_file(views):
    before = {pictures[0].product: pictures[0].held_out for pictures in read_views(views)}
    rows = json.loads((views / "products.json").read_text())
    (views / "products.json").write_text(json.dumps(rows[::-1]))
    assert {pictures[0].product: pictures[0].held_out for pictures in read_views(views)} == before


def test_attributes_become_words_and_unknown_ones_do_not(products):
    text = (products / "catalogue.csv").read_text().replace("Women,Shoes,red", "Women,Shoes,NA")
    (products / "catalogue.csv").write_text(text)
    assert read_products(products)[0].words == ("Women", "Shoes")


@pytest.mark.parametrize("read", [read_products, read_views])
def test_a_folder_without_a_list_is_refused(tmp_path, read):
    with pytest.raises(InputError, match="Can't read"):
        read(tmp_path)
