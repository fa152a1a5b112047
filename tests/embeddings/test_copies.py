import numpy as np
import pytest
from PIL import Image, ImageOps

from embeddings.copies import FAR, Candidate, View, laid_over, matches, place_in_photo, second_look, suspects
from embeddings.fingerprint import TURNS, Fingerprint, as_vector, fingerprint, turned
from fixtures import demo_products, draw_product

PICTURES = {
    number: draw_product(product, view=0, size=256) for number, product in enumerate(demo_products()[::40], start=1)
}
PRINTS = {number: fingerprint(picture) for number, picture in PICTURES.items()}


def candidates(**cosines: float) -> list[Candidate]:
    """Every picture, as the store would suggest it; `p3=.8` says how near its embedding is."""
    return [Candidate(number, PRINTS[number].vector, cosines.get(f"p{number}", -1.0)) for number in PICTURES]


def found(photo: Image.Image, **cosines: float) -> list[int]:
    views = [View.of(photo)]
    return [one.id for one in matches(views, suspects(views, candidates(**cosines), least_cosine=0.3), PICTURES.get)]


def random_prints(count: int) -> np.ndarray:
    return as_vector(np.random.default_rng(5).random((count, 256)) < 0.5)


@pytest.mark.parametrize("turn", TURNS)
def test_two_probes_find_the_picture_among_thousands_whatever_way_it_is_turned(turn):
    prints = np.concatenate([random_prints(20_000), PRINTS[2].vector[None]])

    probes = View.of(turned(PICTURES[2], turn)).probes()

    assert len(probes) == 2
    assert all(np.linalg.norm(probe) == pytest.approx(1) for probe in probes)
    assert 20_000 in {int((prints @ probe).argmax()) for probe in probes}


def test_an_even_photo_asks_nothing():
    assert View.of(Image.new("RGB", (300, 300), "white")).probes() == []


def test_a_part_of_the_photo_is_compared_by_itself_and_answered_in_the_photos_pixels():
    photo = Image.new("RGB", (500, 400), (210, 220, 200))
    photo.paste(PICTURES[3], (200, 100))
    views = [View.of(photo), View.of(photo, (200.0, 100.0, 456.0, 356.0))]

    (match,) = matches(views, suspects(views, candidates(), least_cosine=0.3), PICTURES.get)

    assert match.id == 3
    assert match.distance <= 4
    assert match.alignment.first_box == pytest.approx((200, 100, 456, 356), abs=3)


@pytest.mark.parametrize("box", [(490, 10, 530, 20), (5, 5, 5, 5), (-10, -10, 3, 3)])
def test_a_part_at_the_edge_is_at_least_a_pixel(box):
    view = View.of(Image.new("RGB", (500, 400)), box)

    assert view.image.width >= 1
    assert view.image.height >= 1


def test_only_what_is_near_is_suspected_the_nearest_first():
    view = View.of(PICTURES[2])
    near = as_vector(np.concatenate([~PRINTS[2].bits[:30], PRINTS[2].bits[30:]]))
    far = as_vector(np.concatenate([~PRINTS[2].bits[: FAR + 8], PRINTS[2].bits[FAR + 8 :]]))
    asked = [
        Candidate(1, far),
        Candidate(2, near),
        Candidate(3, PRINTS[2].vector),
        Candidate(4, far, cosine=0.9),
        Candidate(5, None, cosine=0.5),
        Candidate(6, None, cosine=0.2),
    ]

    assert [one.id for one in suspects([view], asked, least_cosine=0.3)] == [3, 2, 4, 5]


def test_a_look_alike_is_laid_over_the_photo_and_found_to_be_none():
    views = [View.of(PICTURES[2])]
    laid = laid_over(views, suspects(views, candidates(p2=0.99, p3=0.9), least_cosine=0.3), PICTURES.get)

    assert {one.id: one.alignment.is_copy for one in laid}[2]
    assert [one.id for one in laid if one.alignment.is_copy] == [2]
    assert 3 in [one.id for one in laid]


def test_a_crop_in_a_frame_is_found_by_its_embedding_alone():
    framed = ImageOps.expand(PICTURES[4], 60, "white")

    assert found(framed) == []
    assert found(framed, p4=0.8) == [4]


def test_a_picture_that_is_gone_is_left_out():
    views = [View.of(PICTURES[2])]

    assert matches(views, suspects(views, candidates(), least_cosine=0.3), lambda number: None) == []


def test_no_more_than_a_few_pictures_are_looked_at_however_many_are_suspected():
    views = [View.of(PICTURES[2])]
    asked = [Candidate(number, PRINTS[2].vector, 0.9) for number in range(100)]
    looked: list[int] = []

    def load(number: int) -> Image.Image:
        looked.append(number)
        return PICTURES[1 if number % 2 else 2]

    laid_over(views, suspects(views, asked, least_cosine=0.3), load)

    assert len(looked) <= 10


def test_a_fingerprint_that_says_nothing_is_not_compared():
    even = Fingerprint(np.zeros(256, dtype=bool), 0)
    view = View(Image.new("RGB", (64, 64)), (0, 0, 64, 64), (even,) * 8)

    assert suspects([view], [Candidate(1, as_vector(even.bits))], least_cosine=0.3) == []


def test_a_mirrored_crop_is_found_by_a_second_look_alone():
    crop = ImageOps.mirror(PICTURES[4]).crop((20, 10, PICTURES[4].width - 10, PICTURES[4].height - 20))
    view = View.of(crop)
    asked = suspects([view], candidates(p4=0.8), least_cosine=0.3)

    assert [one.id for one in second_look(crop, {}, asked, PICTURES.get)] == [4]
    assert not [one for one in second_look(PICTURES[1], {}, asked, PICTURES.get) if one.id != 4]


def test_a_small_part_of_a_page_is_found_where_its_product_is():
    picture = PICTURES[4]
    page = Image.new("RGB", (picture.width * 4, picture.height * 3), "white")
    left, top = picture.width * 2, picture.height
    page.paste(picture, (left, top))
    inner = (picture.width * 0.2, picture.height * 0.3, picture.width * 0.7, picture.height * 0.9)
    product = (left + inner[0], top + inner[1], left + inner[2], top + inner[3])
    view = View.of(page)
    asked = suspects([view], candidates(p4=0.8), least_cosine=0.3)
    place = place_in_photo(product, inner, picture.size, page.size)

    assert place is not None
    (match,) = second_look(page, {4: place}, asked, PICTURES.get)
    assert match.id == 4
    assert match.alignment.first_box == pytest.approx(
        (left, top, left + picture.width, top + picture.height), abs=picture.width * 0.03
    )


def test_a_picture_that_would_be_most_of_the_photo_has_no_place_in_it():
    assert place_in_photo((10, 10, 90, 90), (10, 10, 90, 90), (100, 100), (100, 100)) is None
