import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from embeddings.fingerprint import (
    AS_IS,
    BITS,
    MIRRORED,
    TURNS,
    Fingerprint,
    as_bits,
    as_vector,
    dihedral_fingerprints,
    distance_of,
    fingerprint,
    score_of,
    turned,
)
from fixtures import demo_products, draw_product


def fractal(width: int = 320, height: int = 240) -> Image.Image:
    return Image.effect_mandelbrot((width, height), (-2, -1.2, 1, 1.5), 80).convert("RGB")


def hamming(first: Fingerprint, second: Fingerprint) -> int:
    return int((first.bits != second.bits).sum())


def saved(image: Image.Image, format: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, format, quality=quality)
    return Image.open(file).convert("RGB")


@pytest.fixture(scope="module")
def shoe() -> Image.Image:
    return draw_product(next(product for product in demo_products() if product.category == "shoes"), view=0)


def test_a_fingerprint_is_256_bits_half_of_them_set() -> None:
    bits = fingerprint(fractal()).bits
    assert (bits.shape, bits.dtype) == ((BITS,), np.bool_)
    assert bits.sum() == BITS // 2


def test_a_known_picture_keeps_its_known_fingerprint() -> None:
    """Stored fingerprints must stay comparable: when this fails, every catalog needs to be indexed again."""
    known = "c9c2363d353dc2c3e6e3891cce4e39247939793986260f26f6d8c65c49cb58cb"
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(known), dtype=np.uint8)).astype(bool)
    assert (fingerprint(fractal()).bits != bits).sum() <= 4


@pytest.mark.parametrize(
    ("edit", "farthest"),
    [
        (lambda image: saved(image, "JPEG", 30), 12),
        (lambda image: saved(image, "WEBP", 50), 12),
        (lambda image: image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS), 6),
        (lambda image: image.resize((image.width * 2, image.height), Image.Resampling.BICUBIC), 6),
        (lambda image: image.filter(ImageFilter.GaussianBlur(1.5)), 6),
        (lambda image: image.convert("L").convert("RGB"), 2),
        (lambda image: image.point(lambda value: int(value * 0.7)), 12),
    ],
)
def test_what_sharing_does_to_a_picture_hardly_changes_its_bits(
    edit: Callable[[Image.Image], Image.Image], farthest: int, shoe: Image.Image
) -> None:
    for image in (shoe, fractal()):
        assert hamming(fingerprint(image), fingerprint(edit(image))) <= farthest


def test_different_pictures_differ_in_about_half_their_bits() -> None:
    products = [product for product in demo_products() if product.category in ("shoes", "bags", "dresses", "hats")]
    one_of_each = {product.category: product for product in products}.values()
    found = [fingerprint(draw_product(product, view=0)) for product in one_of_each]
    distances = [hamming(a, b) for i, a in enumerate(found) for b in found[i + 1 :]]
    assert min(distances) > 64


@pytest.mark.parametrize("turn", TURNS)
def test_turned_and_mirrored_pictures_are_found_from_one_stored_fingerprint(turn: int) -> None:
    image = fractal()
    turns = dihedral_fingerprints(image)
    assert len(turns) == len(TURNS) == 8
    distances = [hamming(fingerprint(turned(image, turn)), one) for one in turns]
    assert distances[turn] <= 2
    assert min(distance for index, distance in enumerate(distances) if index != turn) > 90


def test_the_first_turn_is_the_picture_itself_and_the_second_its_mirror_image() -> None:
    image = fractal()
    turns = dihedral_fingerprints(image)
    assert hamming(turns[AS_IS], fingerprint(image)) == 0
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert hamming(turns[MIRRORED], fingerprint(mirrored)) <= 2


@pytest.mark.parametrize("color", ["white", "black", (120, 30, 30)])
def test_an_even_picture_is_refused(color: str) -> None:
    even = fingerprint(Image.new("RGB", (300, 300), color))
    assert even.quality == 0
    assert not even.is_usable


def test_a_picture_with_something_in_it_is_usable(shoe: Image.Image) -> None:
    assert fingerprint(shoe).is_usable
    assert fingerprint(fractal()).is_usable


def test_a_faint_gradient_is_refused() -> None:
    ramp = np.linspace(200, 215, 300).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp[None, :, None], (300, 300, 3)).copy())
    assert not fingerprint(image).is_usable


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (16, 16), (64, 64), (63, 65), (3000, 40)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_any_size_and_mode_has_a_fingerprint(size: tuple[int, int], mode: str) -> None:
    assert fingerprint(Image.new(mode, size)).bits.shape == (BITS,)


def _random_bits(count: int) -> NDArray[np.bool_]:
    return np.random.default_rng(0).random((count, BITS)) < 0.5


def test_vectors_are_unit_rows_whose_dot_product_tells_the_distance() -> None:
    bits = _random_bits(20)
    vectors = as_vector(bits)
    assert (vectors.shape, vectors.dtype) == ((20, BITS), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    for i in range(20):
        for j in range(20):
            assert distance_of(float(vectors[i] @ vectors[j])) == (bits[i] != bits[j]).sum()


def test_bits_survive_the_way_through_a_vector() -> None:
    bits = _random_bits(3)
    assert (as_bits(as_vector(bits)) == bits).all()
    assert as_vector(np.empty((0, BITS), dtype=bool)).shape == (0, BITS)


@pytest.mark.parametrize(("distance", "score"), [(0, 1.0), (64, 0.5), (128, 0.0), (256, -1.0)])
def test_distances_and_scores_are_two_words_for_one_thing(distance: int, score: float) -> None:
    assert score_of(distance) == score
    assert distance_of(score) == distance


def test_every_distance_survives_the_rounding_of_float32() -> None:
    assert [distance_of(float(np.float32(score_of(distance)))) for distance in range(257)] == list(range(257))
