import numpy as np
import pytest
from PIL import Image

from catalog import vision
from catalog.vision import Wish, for_sale, for_shopper, look, look_at_all
from detection.images import Photo
from detection.types import Detection

PHOTO = Photo(Image.new("RGB", (200, 400), "white"), width=400, height=800, format="JPEG")
JACKET = Detection((100, 100, 300, 400), "jackets", 0.9)
SAME_AS_TOP = Detection((102, 104, 300, 398), "tops", 0.4)
SHOES = Detection((150, 700, 250, 790), "shoes", 0.8)


def test_one_thing_seen_as_two_categories_is_shown_once():
    regions, choice = for_shopper((JACKET, SHOES, SAME_AS_TOP), PHOTO, Wish())

    assert regions == (JACKET, SHOES)
    assert (choice.region, choice.category) == (0, "jackets")


def test_the_shoppers_category_decides_what_a_thing_is():
    regions, choice = for_shopper((JACKET, SHOES, SAME_AS_TOP), PHOTO, Wish(category="tops"))

    assert regions == (SHOES, SAME_AS_TOP)
    assert (choice.region, choice.category) == (1, "tops")


def test_a_category_that_was_not_seen_leaves_what_stands_out():
    _, choice = for_shopper((JACKET, SHOES), PHOTO, Wish(category="hats"))

    assert choice.category == "jackets"


def test_without_detections_the_whole_photo_is_meant():
    regions, choice = for_shopper((), PHOTO, Wish())

    assert regions == ()
    assert (choice.box, choice.region, choice.category) == ((0, 0, 400, 800), None, None)


@pytest.mark.parametrize(
    ("box", "region", "category"),
    [
        ((100, 100, 300, 400), 0, "jackets"),  # the region itself
        ((110, 110, 300, 380), None, "jackets"),  # most of it
        ((0, 0, 60, 60), None, None),  # somewhere else
    ],
)
def test_a_drawn_box_takes_the_category_of_what_it_covers(box, region, category):
    _, choice = for_shopper((JACKET, SHOES), PHOTO, Wish(box=box))

    assert (choice.box, choice.region, choice.category) == (box, region, category)


def test_on_a_catalog_photo_the_products_own_category_is_for_sale():
    _, choice = for_sale((JACKET, SHOES), PHOTO, Wish(category="shoes"))

    assert choice.box == SHOES.xyxy


@pytest.mark.parametrize("category", ["hats", "watches", None])
def test_a_catalog_photo_without_its_product_is_taken_whole(category):
    _, choice = for_sale((JACKET, SHOES), PHOTO, Wish(category=category))

    assert choice.box == (0, 0, 400, 800)


def test_regions_are_in_pixels_of_the_original(settings):
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    settings.ENCODER = {"BACKEND": "tests.fakes.FakeEncoder"}
    image = Image.new("RGB", (100, 100), "white")
    image.paste("black", (20, 30, 60, 80))

    (sight,) = look([Photo(image, 400, 400, "PNG")], [Wish()], choose=for_shopper).sights

    assert sight.regions[0].xyxy == (80, 120, 240, 320)
    assert np.linalg.norm(sight.embedding) == pytest.approx(1, abs=1e-5)


class Roughness:
    """Embeds a crop as how much its pixels differ."""

    def encode_images(self, images):
        return np.array([[np.asarray(image, np.float32).std()] for image in images], np.float32)


def test_a_shoppers_photo_loses_its_grain_and_a_merchants_stays_as_it_is(settings, monkeypatch):
    settings.DETECTOR = {"BACKEND": "tests.fakes.FakeDetector"}
    monkeypatch.setattr(vision, "encoder", Roughness)
    noise = np.random.default_rng(1).integers(0, 256, (120, 120, 3)).astype(np.uint8)
    photo = Photo(Image.fromarray(noise), 120, 120, "PNG")
    (merchants,) = look([photo], [Wish()], choose=for_sale).sights
    (shoppers,) = look([photo], [Wish()], choose=for_shopper).sights
    outfit, _ = look_at_all(photo, Wish())

    assert shoppers.embedding[0] < 0.5 * merchants.embedding[0]
    assert outfit.sights[0].embedding[0] == shoppers.embedding[0]


def test_nothing_to_look_at_needs_no_model(settings):
    del settings.DETECTOR
    del settings.ENCODER

    assert len(look([], [], choose=for_sale).sights) == 0
