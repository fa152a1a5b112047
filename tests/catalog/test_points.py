import pytest

from catalog.models import Category, Merchant, Product
from catalog.points import payload_of


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
