import pytest

from catalog.models import Category
from catalog.words.category_vocabulary import GENERIC, GOOGLE_IDS, MISLEADING, SLUG_OF
from catalog.words.category_words import CategoryBook, find_category, meaning_of, singular
from detection.categories import DETECTED


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("shoe", "shoes"),
        ("Shoes", "shoes"),
        ("FOOTWEAR", "shoes"),
        ("Apparel & Accessories > Shoes", "shoes"),
        ("Apparel &amp; Accessories &gt; Shoes", "shoes"),
        ("Women/Shoes/Sneakers", "shoes"),
        ("Damen > Schuhe", "shoes"),
        ("Chaussures", "shoes"),
        ("trousers", "pants"),
        ("Men's Blue Jeans", "pants"),
        ("top", "tops"),
        ("T-Shirts", "tops"),
        ("Shirts & Tops", "tops"),
        ("cap", "hats"),
        ("Baseball caps", "hats"),
        ("handbag", "bags"),
        ("Apparel & Accessories > Handbags, Wallets & Cases > Handbags", "bags"),
        ("Apparel & Accessories > Handbags, Wallets & Cases", "bags"),
        ("Coats & Jackets", "jackets"),
        ("Flip Flops", "shoes"),
        ("shorts, women", "shorts"),
        ("watch", "watches"),
        ("Ties", "ties"),
        ("scarves", "scarves"),
    ],
)
def test_words_of_one_meaning_are_one_category(words, slug):
    assert meaning_of(words).slug == slug


@pytest.mark.parametrize(
    ("words", "slug"), [("shirt dress", "dresses"), ("dress shirt", "tops"), ("dress shoes", "shoes")]
)
def test_the_last_word_of_a_phrase_says_what_the_thing_is(words, slug):
    assert meaning_of(words).slug == slug


@pytest.mark.parametrize("words", ["Bean Bags", "wine glasses", "Furniture > Bean Bag"])
def test_a_misleading_last_word_makes_no_bag_of_a_bean_bag(words):
    assert meaning_of(words).slug not in DETECTED


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("glasses", "sunglasses"),
        ("Eyewear", "sunglasses"),
        ("reading glasses", "eyeglasses"),
        ("Eyeglasses", "eyeglasses"),
    ],
)
def test_bare_glasses_are_sunglasses_and_seeing_aids_are_not(words, slug):
    assert meaning_of(words).slug == slug


def test_the_most_specific_known_part_of_a_path_wins():
    assert meaning_of("Jewelry > Watches").slug == "watches"
    assert meaning_of("Shoes > Left-handed").slug == "shoes"


@pytest.mark.parametrize("words", ["", "   ", "Women > New In", "Clothing", "99999", ">", "&"])
def test_words_that_say_nothing_are_other(words):
    assert meaning_of(words).slug == "other"


def test_unknown_words_make_a_new_category_named_by_the_last_part():
    meaning = meaning_of("Beauty > lip gloss")

    assert (meaning.slug, meaning.name, meaning.is_known) == ("lip-gloss", "Lip gloss", False)


def test_words_of_another_alphabet_make_a_category_too():
    assert meaning_of("蝴蝶结").slug == "蝴蝶结"


def test_a_very_long_category_is_cut_to_what_the_table_holds():
    meaning = meaning_of("gizmo " * 60)

    assert len(meaning.slug) <= 80
    assert len(meaning.name) <= 80


def test_googles_category_helps_where_the_merchants_words_are_unknown():
    assert meaning_of("Autumn Dreams", "Apparel & Accessories > Shoes").slug == "shoes"
    assert meaning_of("Autumn Dreams", "187").slug == "shoes"
    assert meaning_of("", "2271").slug == "dresses"
    assert meaning_of("bags", "187").slug == "bags"
    assert meaning_of("Autumn Dreams", "4711").slug == "autumn-dreams"


def test_the_vocabulary_is_written_as_it_is_looked_up():
    listed = set(SLUG_OF) | MISLEADING | GENERIC

    assert {word: singular(word) for word in listed if singular(word) != word} == {}
    assert set(DETECTED) <= set(SLUG_OF.values())
    assert set(GOOGLE_IDS.values()) <= set(SLUG_OF.values())
    assert not MISLEADING & set(SLUG_OF)


@pytest.mark.django_db
def test_a_new_category_knows_whether_the_detector_sees_it():
    book = CategoryBook()

    assert book.get_or_create(meaning_of("sneakers")).is_detected
    assert not book.get_or_create(meaning_of("watch")).is_detected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "then"), [("Gizmo", "gizmos"), ("Gizmos", "GIZMO"), ("Mobile pouch", "Mobile Pouches")]
)
def test_singular_and_plural_of_an_unknown_word_are_one_category(first, then):
    made = CategoryBook().get_or_create(meaning_of(first))

    assert CategoryBook().get_or_create(meaning_of(then)) == made
    assert Category.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["shoes", "shoe", " Shoes ", "Footwear", "Apparel & Accessories > Shoes"])
def test_a_category_is_found_by_any_of_its_words(word):
    shoes = CategoryBook().get_or_create(meaning_of("shoes"))

    assert find_category(word) == shoes


@pytest.mark.django_db
def test_a_category_that_the_shop_lacks_is_not_found():
    gizmo = CategoryBook().get_or_create(meaning_of("gizmo"))

    assert find_category("shoes") is None
    assert find_category("") is None
    assert find_category("gizmos") == gizmo
