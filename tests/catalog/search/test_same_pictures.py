import io

from PIL import Image

from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture


def saved_again(data: bytes, *, scale: float, quality: int = 80) -> bytes:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    size = (round(image.width * scale), round(image.height * scale))
    stream = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def cards(answer) -> list[set[str]]:
    """Returns the SKUs behind each card."""
    from catalog.models import Product

    sku_of = dict(Product.objects.values_list("pk", "sku"))
    return [{one.product.sku, *(sku_of[pk] for pk in one.others)} for one in answer.results]


def test_one_picture_saved_in_two_sizes_by_two_sellers_is_one_card(shelf):
    shelf.put("small", 1, price="24.90")
    shelf.put_picture("large", saved_again(picture(1), scale=1.7), merchant="rival", price="19.90")
    shelf.put("other", 5)

    answer = search(Question(image=picture(1), category="all"))

    assert {"small", "large"} in cards(answer)
    (card,) = (one for one in answer.results if one.offers)
    assert (card.offers.count, str(card.offers.lowest)) == (2, "19.90")
    assert {"other"} in cards(answer)


def test_one_drawing_in_two_colors_is_two_cards(shelf):
    image = Image.open(io.BytesIO(picture(1))).convert("RGB")
    red, green, blue = image.split()
    stream = io.BytesIO()
    Image.merge("RGB", (blue, green, red)).save(stream, "PNG")
    shelf.put("one", 1)
    shelf.put_picture("recolored", stream.getvalue())

    assert {"one", "recolored"} not in cards(search(Question(image=picture(1), category="all")))


def test_words_find_one_card_for_one_picture_too(shelf):
    shelf.put("small", 1)
    shelf.put_picture("large", saved_again(picture(1), scale=1.5))

    assert cards(search(Question(text="shoe"))) in ([{"small", "large"}], [{"large", "small"}])
