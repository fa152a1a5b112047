import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from catalog.bands import Band
from catalog.indexing.points import ALIAS, VECTOR
from catalog.models import Product, ProductImage
from catalog.search.answers import as_json as answer_as_json
from catalog.search.answers import recall, record
from catalog.search.copies import Copy, as_json, find_copies, kept, marked, recalled
from catalog.search.questions import Question
from catalog.search.ranking import Ranked
from catalog.search.search import search
from catalog.vision import Wish, for_shopper, look
from detection.images import Photo, decode
from detection.types import Box
from embeddings import encoder, vector_store
from fixtures import demo_products, draw_product
from shop_search.errors import ServiceError
from tests.catalog.shelf import Shelf
from tests.fakes import DIM


def drawn(category: str, number: int = 0, size: int = 256) -> Image.Image:
    chosen = [one for one in demo_products() if one.category == category][number]
    return draw_product(chosen, view=0, size=size)


def saved(image: Image.Image, format: str = "PNG", **options: int) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


@pytest.fixture
def shop(shelf: Shelf) -> Shelf:
    """A shop of drawn shoes and bags."""
    for category in ("shoes", "bags"):
        for number in range(3):
            shelf.put_picture(f"{category}-{number}", saved(drawn(category, number)), category=category)
    return shelf


def copies_of(image: Image.Image | bytes, *, box: tuple[float, float, float, float] | None = None) -> list[Copy]:
    """Searches as a shopper does: with what the embedding of the chosen part finds."""
    photo = decode(image if isinstance(image, bytes) else saved(image))
    (sight,) = look([photo], [Wish(box)], choose=for_shopper).sights
    hits = vector_store().query(ALIAS, sight.embedding, using=VECTOR, limit=8)
    return find(photo, box, {hit.id: hit.score for hit in hits})


def find(photo: Photo, box: Box | None = None, look_alikes: dict[int, float] | None = None) -> list[Copy]:
    found = find_copies(photo, box, look_alikes)
    assert found is not None
    return found


def skus(copies: list[Copy]) -> list[str]:
    return [copy.product.sku for copy in copies]


def test_a_copy_is_found_with_its_product_and_lies_over_the_photo(shop):
    (copy,) = copies_of(drawn("bags", 1))

    assert (copy.product.sku, copy.distance, copy.overlay.turn) == ("bags-1", 0, 0)
    assert copy.overlay.query_box == pytest.approx((0, 0, 256, 256), abs=2)
    assert copy.overlay.image_box == pytest.approx((0, 0, 256, 256), abs=2)


@pytest.mark.parametrize(
    "edited",
    [
        lambda image: saved(image, "JPEG", quality=40),
        lambda image: saved(image.resize((128, 128))),
        lambda image: saved(ImageOps.mirror(image)),
        lambda image: saved(image.transpose(Image.Transpose.ROTATE_90)),
        lambda image: saved(image.convert("L")),
        lambda image: saved(ImageOps.expand(image, 10, (30, 30, 30))),
    ],
    ids=["recompressed", "smaller", "mirrored", "turned", "gray", "bordered"],
)
def test_an_edited_copy_is_found(shop, edited):
    assert skus(copies_of(edited(drawn("shoes", 2)))) == ["shoes-2"]


def test_another_product_is_no_copy(shop):
    assert copies_of(drawn("shoes", 7)) == []
    assert copies_of(drawn("dresses", 0)) == []


def of_sku(sku: str) -> Image.Image:
    return draw_product(next(one for one in demo_products() if one.sku == sku), view=0, size=256)


def test_the_same_cut_in_another_color_is_told_apart_from_the_picture_itself(shop):
    green, brown = of_sku("J-0010"), of_sku("J-0016")
    shop.put_picture("J-green", saved(green), category="jackets")

    (copy,) = copies_of(brown)
    assert (copy.product.sku, copy.overlay.is_recolored) == ("J-green", True)
    card = Ranked(copy.product.pk, copy.image.pk, 0.99, Band.SAME_PHOTO)
    assert [one.band for one in marked([card], [copy])] == [Band.SAME_PRODUCT]

    shop.put_picture("J-brown", saved(brown), category="jackets")
    assert skus(copies_of(brown)) == ["J-brown"]
    assert skus(copies_of(brown.convert("L"))) != []


def test_a_crop_is_found_where_it_was_cut_out(shop):
    part = drawn("bags", 0).crop((30, 40, 230, 240))
    photo = decode(saved(part))
    pk = ProductImage.objects.get(product__sku="bags-0").pk

    (copy,) = find(photo, None, {pk: 0.8})

    assert copy.overlay.query_box == pytest.approx((0, 0, 200, 200), abs=3)
    assert copy.overlay.image_box == pytest.approx((30, 40, 230, 240), abs=3)


def test_a_picture_within_the_photo_is_found_by_the_box_around_it(shop):
    photo = Image.new("RGB", (600, 700), (225, 215, 200))
    photo.paste(drawn("shoes", 1), (60, 300))

    (copy,) = copies_of(photo, box=(58, 298, 318, 558))

    assert copy.product.sku == "shoes-1"
    assert copy.overlay.query_box == pytest.approx((60, 300, 316, 556), abs=8)


def test_every_seller_that_uses_the_picture_is_found_the_largest_version_first(shop):
    image = drawn("dresses", 3, size=480)
    shop.put_picture("D-small", saved(image.resize((240, 240))), merchant="corner-shop", category="dresses")
    shop.put_picture("D-large", saved(image), merchant="department-store", category="dresses")
    shop.put_picture("D-again", saved(image), merchant="market-stall", category="dresses")

    found = copies_of(image.resize((200, 200)))

    assert skus(found) == ["D-large", "D-again", "D-small"]
    assert [copy.image.width for copy in found] == [480, 480, 240]
    assert found[2].overlay.image_box == pytest.approx((0, 0, 240, 240), abs=4)


def test_who_else_uses_a_picture_is_found_for_a_crop_too(shop):
    image = drawn("dresses", 3)
    shop.put_picture("D-1", saved(image), merchant="corner-shop", category="dresses")
    shop.put_picture("D-2", saved(image.resize((200, 200)), "JPEG"), merchant="market-stall", category="dresses")
    photo = decode(saved(image.crop((40, 40, 216, 216))))
    pk = ProductImage.objects.get(product__sku="D-1").pk

    found = find(photo, None, {pk: 0.8})

    assert skus(found) == ["D-1", "D-2"]
    assert found[1].overlay.image_box == pytest.approx([side * 200 / 256 for side in (40, 40, 216, 216)], abs=4)


def test_a_withdrawn_product_is_no_copy(shop):
    Product.objects.filter(sku="bags-1").withdraw()

    assert copies_of(drawn("bags", 1)) == []


def test_a_picture_whose_file_is_gone_is_no_copy_and_no_failure(shop):
    file = ProductImage.objects.get(product__sku="bags-1").file
    file.storage.delete(str(file.name))

    assert copies_of(drawn("bags", 1)) == []


def test_an_even_photo_has_no_copies(shop):
    assert copies_of(Image.new("RGB", (200, 200), "white")) == []


def test_of_an_empty_shop_and_an_index_without_fingerprints_nothing_can_be_said(shop):
    store = vector_store()
    earlier = f"{ALIAS}-{encoder().card.fingerprint}"
    store.ensure(earlier, {VECTOR: DIM})
    store.alias(ALIAS, earlier)
    assert find_copies(decode(saved(drawn("bags", 1)))) is None

    store.drop(earlier)
    assert find_copies(decode(saved(drawn("bags", 1)))) is None


def test_a_store_that_is_down_is_a_failure(shop):
    shop.break_store()

    with pytest.raises(ServiceError):
        find_copies(decode(saved(drawn("bags", 1))))


def test_a_record_brings_copies_back_without_what_was_withdrawn(shop):
    image = drawn("dresses", 3)
    for sku in ("D-1", "D-2"):
        shop.put_picture(sku, saved(image), merchant=sku.lower(), category="dresses")
    found = copies_of(image)
    record = kept(found)
    Product.objects.filter(sku="D-1").withdraw()

    (copy,) = recalled(record)

    assert copy.product.sku == "D-2"
    assert copy.overlay.query_box == pytest.approx(found[1].overlay.query_box, abs=0.1)


def test_json_says_where_the_picture_is_and_how_it_lies(shop):
    (copy,) = copies_of(drawn("bags", 1))

    document = as_json(copy, "https://shop.example")

    assert document["image"]["url"].startswith("https://shop.example/")
    assert (document["image"]["width"], document["image"]["height"]) == (256, 256)
    assert set(document["overlay"]) == {"query_box", "image_box", "turn", "likeness", "recolored"}
    assert np.isfinite(document["overlay"]["query_box"]).all()


def test_only_a_verified_copy_is_called_the_same_photo_and_comes_first(shop):
    copies = copies_of(drawn("bags", 1))
    other = ProductImage.objects.get(product__sku="bags-0")
    cards = [
        Ranked(other.product_id, other.pk, 0.99, Band.SAME_PHOTO),
        Ranked(10_000, 10_000, 0.9, Band.SIMILAR),
        Ranked(10_001, 10_001, 0.8, Band.SIMILAR, others=(copies[0].product.pk,)),
    ]

    assert [(card.product_id, card.band) for card in marked(cards, copies)] == [
        (10_001, Band.SAME_PHOTO),
        (other.product_id, Band.SAME_PRODUCT),
        (10_000, Band.SIMILAR),
    ]


def test_a_search_answers_with_copies_and_facts_and_its_link_with_the_same(shop):
    answer = search(Question(image=saved(drawn("shoes", 1), "JPEG", quality=60)))
    record(answer)

    told, again = answer_as_json(answer), recall(answer.id)

    assert [copy["product"]["sku"] for copy in told["copies"]] == ["shoes-1"]
    assert told["band"] == told["results"][0]["band"] == "same_photo"
    assert told["results"][0]["product"]["sku"] == "shoes-1"
    assert (told["facts"]["width"], told["facts"]["format"], told["facts"]["seller"]) == (256, "JPEG", "Atelier")
    assert told["facts"]["colors"][0]["hex"].startswith("#")
    assert again["copies"] == told["copies"]
    assert again["facts"] == told["facts"]


def test_a_search_without_a_photo_has_neither_copies_nor_facts(shop):
    answer = search(Question(product=ProductImage.objects.get(product__sku="shoes-1").product_id))

    assert answer_as_json(answer)["copies"] == []
    assert answer_as_json(answer)["facts"] is None
