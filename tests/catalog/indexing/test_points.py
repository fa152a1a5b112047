import pytest

from catalog.indexing.points import attributes_as_json, payload_of
from catalog.models import Category, Merchant, Product
from embeddings.attributes import Attributes, Guess


def product(*colors: str) -> Product:
    return Product(merchant=Merchant(slug="atelier"), category=Category(slug="shoes"), colors=list(colors))


@pytest.mark.parametrize(
    ("named", "seen", "filed"),
    [
        ([], [], []),
        (["Navy Blue", "WHITE"], [], ["navy", "white"]),
        (["Crimson"], ["red", "black"], ["red", "black"]),
        (["Kaleidoscope"], ["multicolor"], ["kaleidoscope", "multicolor"]),
    ],
)
def test_a_product_is_filed_under_our_names_of_the_colors_that_are_named_and_seen(named, seen, filed):
    assert payload_of(product(*named), seen_colors=seen)["colors"] == filed


def test_a_payload_keeps_the_palette_for_ranking():
    assert payload_of(product(), palette=((50.0, 1.0, 2.0, 1.0),))["palette"] == [[50.0, 1.0, 2.0, 1.0]]


SEEN = {"gender": ["women", 0.93], "pattern": ["striped", 0.61], "article_type": ["handbags", 0.97]}


def test_who_a_product_is_for_is_what_the_picture_surely_says_where_the_merchant_says_nothing():
    assert payload_of(product())["gender"] == ""
    assert payload_of(product(), seen_attributes=SEEN)["gender"] == "female"
    assert payload_of(product(), seen_attributes={"gender": ["women", 0.6]})["gender"] == ""


def test_the_merchants_word_on_the_gender_stands():
    named = product()
    named.gender = "Male"
    assert payload_of(named, seen_attributes=SEEN)["gender"] == "male"


def test_a_payload_has_the_sure_attributes_alone():
    payload = payload_of(product(), seen_attributes=SEEN)
    assert (payload["article_type"], payload["pattern"]) == ("handbags", "")


def test_attributes_are_kept_with_their_confidence_and_without_the_unknown():
    found = Attributes(gender=Guess("men", 0.87654), pattern=None)
    assert attributes_as_json(found) == {"gender": ["men", 0.877]}
