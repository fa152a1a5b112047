import pytest

from catalog.pages.cards import price_text, thumb


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [
        ("19.90", "EUR", "€19.90"),
        ("19.90", "SEK", "19.90 SEK"),
        ("19.90", "", "19.90"),
        (None, "EUR", ""),
        ("0.00", "USD", "$0.00"),
    ],
)
def test_prices_read_as_shops_write_them(price, currency, text):
    assert price_text(price, currency) == text


@pytest.mark.parametrize(
    ("media_url", "picture", "small"),
    [
        ("/media/", "/media/products/a.jpg", "/media/products/a.jpg?w=480"),
        ("/media/", "http://shop.example/media/products/a.jpg", "http://shop.example/media/products/a.jpg?w=480"),
        (
            "https://pictures.example/",
            "https://pictures.example/a.jpg?signed=1",
            "https://pictures.example/a.jpg?signed=1",
        ),
    ],
)
def test_small_copies_are_asked_for_only_where_we_make_them(settings, media_url, picture, small):
    settings.MEDIA_URL = media_url
    assert thumb(picture) == small
