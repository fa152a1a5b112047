import pytest

from catalog.feeds.columns import map_columns
from shop_search.errors import InputError


def test_googles_own_names_are_taken_as_they_are():
    columns = map_columns(["id", "title", "image_link", "price"])

    assert columns.used == {"id": "id", "title": "title", "image_link": "image_link", "price": "price"}
    assert columns.unknown == ()


def test_a_foreign_header_is_understood_by_its_aliases():
    columns = map_columns(["id", "image", "title", "category", "gender", "article_type", "colour", "season", "usage"])

    assert columns.used == {
        "id": "id",
        "title": "title",
        "image_link": "image",
        "color": "colour",
        "gender": "gender",
        "product_type": "category",
    }
    assert columns.unknown == ("article_type", "season", "usage")


@pytest.mark.parametrize("name", ["Image Link", "image-link", " IMAGE_LINK ", "g:image_link"])
def test_case_spaces_and_googles_prefix_make_no_difference(name):
    assert map_columns(["ID", "Title", name]).name("image_link") == name.strip()


def test_our_own_name_wins_over_an_alias_wherever_it_stands():
    columns = map_columns(["sku", "id", "title", "image", "image_link", "category", "product_type"])

    assert (columns.name("id"), columns.name("image_link"), columns.name("product_type")) == (
        "id",
        "image_link",
        "product_type",
    )
    assert columns.unknown == ("sku", "image", "category")


def test_a_wish_wins_over_every_name():
    columns = map_columns(["id", "title", "image_link", "packshot"], {"image_link": "Packshot"})

    assert columns.name("image_link") == "packshot"
    assert columns.unknown == ("image_link",)


def test_a_missing_column_is_named_with_what_there_is_and_what_to_do():
    with pytest.raises(InputError) as caught:
        map_columns(["id", "title", "packshot"])

    assert caught.value.code == "columns_missing"
    assert "image_link" in caught.value.message
    assert "packshot" in caught.value.message
    assert "--column image_link=" in caught.value.message


@pytest.mark.parametrize(
    ("wanted", "code"), [({"image_link": "nowhere"}, "column_missing"), ({"shape": "title"}, "column_unknown")]
)
def test_a_wish_that_can_not_be_met_is_an_error(wanted, code):
    with pytest.raises(InputError) as caught:
        map_columns(["id", "title", "image_link"], wanted)

    assert caught.value.code == code


def test_several_columns_of_more_pictures_are_all_read():
    columns = map_columns(["id", "title", "image_link", "additional_image_link", "additional_image_link"])

    assert columns.pick(["1", "a", "b", "c", "d"])["additional_image_link"] == "c,d"
