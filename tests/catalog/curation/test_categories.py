import pytest
from django.contrib.auth.models import User
from django.db import transaction

from catalog.curation.categories import Edit, add, carry_out, effect_of, follow_up, rename
from catalog.indexing.check import check_index
from catalog.indexing.index import index_all
from catalog.listing import list_products
from catalog.models import AuditEntry, Category, CategoryName, Product, ProductImage
from catalog.search.questions import Question
from catalog.search.search import search
from catalog.words.category_words import find_category
from shop_search.errors import InputError
from tests.catalog.shop import Shop, open_shop, use_fakes
from tests.fakes import picture


@pytest.fixture
def shop(db, settings, tmp_path) -> Shop:
    shop = open_shop(settings, tmp_path)
    settings.BAND_THRESHOLDS = {"same_photo": 0.999, "same_product": 0.95, "similar": -1.0}
    for seed, words in enumerate(["sneakers", "boots", "trainer", "watches", "wristwatch", "scarf"]):
        shop.feed.add(f"S-{seed}", product_type=words)
    shop.upload()
    index_all()
    return shop


@pytest.fixture
def admin(db) -> User:
    return User.objects.create_user("rae", is_staff=True)


def do(edit: Edit, by: User) -> dict[str, int]:
    with transaction.atomic():
        asked = carry_out(edit, by=by)
    from catalog.words.assortment import forget

    forget()
    return follow_up(lambda done, total, what: None, **asked)


def filed() -> dict[str, str]:
    return dict(Product.objects.values_list("sku", "category__slug"))


def boxes() -> dict[int, object]:
    return {image.pk: image.box for image in ProductImage.objects.all()}


def test_a_merge_moves_products_and_embeds_nothing_where_no_crop_changes(shop, admin):
    embedded = shop.encoder.encoded
    effect = effect_of(Edit("merge", "watches", "scarves"))
    assert (effect.products, effect.pictures, effect.looked_at) == (2, 2, 0)  # neither can be detected
    assert filed()["S-3"] == "watches"  # only counted so far

    done = do(Edit("merge", "watches", "scarves"), admin)

    assert done == {"looked_at": 0, "changed": 0, "told": 2, "waiting": 0}
    assert filed()["S-3"] == filed()["S-4"] == filed()["S-5"] == "scarves"
    assert {payload["category"] for payload in shop.points().values()} == {"shoes", "scarves"}
    assert shop.encoder.encoded == embedded
    assert check_index().agrees
    assert AuditEntry.objects.get().action == "category_merge"


def test_a_merge_embeds_anew_only_what_is_cropped_otherwise_now(shop, admin):
    """Watches were embedded whole, for nobody can detect one; as shoes they are cropped like shoes."""
    whole = boxes()
    embedded = shop.encoder.encoded
    assert effect_of(Edit("merge", "watches", "shoes")).looked_at == 2

    done = do(Edit("merge", "watches", "shoes"), admin)

    assert (done["looked_at"], done["changed"], done["waiting"]) == (2, 2, 0)
    moved = {shop.image(sku).pk for sku in ("S-3", "S-4")}
    assert {pk for pk, box in boxes().items() if box != whole[pk]} == moved
    assert shop.encoder.encoded == embedded + 2
    assert check_index().agrees


def test_the_old_slug_goes_on_in_links_searches_and_feeds(shop, admin):
    do(Edit("merge", "watches", "scarves"), admin)
    assert find_category("watches") == Category.objects.get(slug="scarves")
    assert list_products(category="watches")[0] == 3
    answer = search(Question(image=picture(3), category="watches"))
    assert answer.selected.category.slug == "scarves"
    assert {result.product.category.slug for result in answer.results} == {"scarves"}
    by_words = search(Question(text="a watch"))
    assert by_words.selected.category.slug == "scarves"

    assert shop.upload().unchanged == 6
    shop.feed.add("S-9", product_type="Watches")
    shop.upload()
    assert filed()["S-9"] == "scarves"
    assert not Category.objects.filter(slug="watches").exists()


def test_a_merge_of_a_merge_leads_to_the_last(shop, admin):
    do(Edit("merge", "watches", "scarves"), admin)
    add("Accessories", by=admin)
    do(Edit("merge", "scarves", "accessories"), admin)
    assert find_category("watches").slug == find_category("scarves").slug == "accessories"


def test_a_detected_category_that_is_merged_is_still_detected_under_its_new_name(shop, admin):
    add("Footwear and more", by=admin)
    crops = boxes()
    embedded = shop.encoder.encoded
    done = do(Edit("merge", "shoes", "footwear-and-more"), admin)
    assert done["changed"] == 0
    assert boxes() == crops
    assert shop.encoder.encoded == embedded
    answer = search(Question(image=picture(1)))
    assert answer.regions[0].category == "footwear-and-more"
    assert answer.results[0].product.sku == "S-1"
    shop.feed.add("S-9", product_type="shoes")
    shop.upload()
    index_all()
    assert shop.image("S-9").detected_category == "footwear-and-more"


def test_a_retired_category_is_filed_under_other_and_its_class_is_not(shop, admin):
    do(Edit("retire", "shoes"), admin)
    assert filed()["S-0"] == "other"
    assert find_category("shoes").slug == "other"
    assert shop.image("S-0").detected_category == ""  # embedded whole: nothing in it is an "other"
    assert check_index().agrees


def test_a_word_of_merchants_re_files_what_they_call_so(shop, admin):
    add("Boots", by=admin)
    effect = effect_of(Edit("word", "Boots", "boots"))
    assert (effect.products, effect.pictures) == (1, 1)
    do(Edit("word", "Boots", "boots"), admin)
    assert filed() | {"S-1": "boots"} == filed()
    assert filed()["S-0"] == "shoes"
    assert shop.upload().unchanged == 6
    assert search(Question(text="boots")).selected.category.slug == "boots"

    do(Edit("unword", "boots"), admin)
    assert filed()["S-1"] == "shoes"
    assert not CategoryName.objects.filter(kind="word").exists()


def test_a_class_of_the_detector_can_mean_another_category(shop, admin):
    embedded = shop.encoder.encoded
    assert effect_of(Edit("detected", "shoes", "watches")).looked_at == 5
    done = do(Edit("detected", "shoes", "watches"), admin)
    assert (done["looked_at"], done["changed"]) == (5, 5)
    assert shop.encoder.encoded == embedded + 5
    assert shop.image("S-3").detected_category == "watches"
    assert shop.image("S-0").detected_category == ""
    assert search(Question(image=picture(3))).selected.category.slug == "watches"
    do(Edit("detected", "shoes", "shoes"), admin)
    assert shop.image("S-0").detected_category == "shoes"
    assert not CategoryName.objects.exists()


def test_following_up_twice_is_following_up_once(shop, admin):
    """A worker may die in the middle of it; then it is called anew."""
    with transaction.atomic():
        asked = carry_out(Edit("merge", "watches", "shoes"), by=admin)
    follow_up(lambda done, total, what: None, **asked)
    again = follow_up(lambda done, total, what: None, **asked)
    assert (again["changed"], again["waiting"]) == (0, 0)
    assert check_index().agrees


def test_another_detector_is_asked_for_a_class_it_knows(shop, admin, settings):
    use_fakes(settings, category="tops")
    add("Shirts", by=admin)
    do(Edit("detected", "tops", "shirts"), admin)
    answer = search(Question(image=picture(1), category="shirts"))
    assert [region.category for region in answer.regions] == ["shirts"]


def test_renaming_changes_the_label_alone(shop, admin):
    rename(Category.objects.get(slug="shoes"), "  Footwear ", by=admin)
    assert Category.objects.get(slug="shoes").name == "Footwear"
    assert shop.upload().unchanged == 6


@pytest.mark.parametrize(
    "edit",
    [
        Edit("merge", "nothing", "shoes"),
        Edit("merge", "shoes", "shoes"),
        Edit("merge", "shoes", "nothing"),
        Edit("retire", "other"),
        Edit("word", " ", "shoes"),
        Edit("detected", "watches", "shoes"),
        Edit("explode", "shoes", "watches"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_and_changes_nothing(shop, admin, edit):
    before = filed()
    with pytest.raises(InputError), transaction.atomic():
        carry_out(edit, by=admin)
    assert filed() == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", ["Shoes", " ", "!!!"])
def test_a_new_category_has_a_name_of_its_own(shop, admin, name):
    with pytest.raises(InputError):
        add(name, by=admin)


def test_the_slug_of_a_merged_category_is_not_given_away(shop, admin):
    do(Edit("merge", "watches", "scarves"), admin)
    with pytest.raises(InputError, match="scarves"):
        add("Watches", by=admin)
