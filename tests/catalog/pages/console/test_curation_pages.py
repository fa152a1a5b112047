"""Curation, blocking, categories and corrections without scripts, and who may do which."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from catalog.models import AuditEntry, BlockedPhoto, Category, Correction, Curation, Job, Product, ProductImage
from catalog.pictures import searched_crops
from catalog.search.answers import record
from catalog.search.questions import Question
from catalog.search.search import search
from tests.fakes import picture

PAGES = ("curation", "curation_new", "blocked", "categories")
WRITES = {
    "curation_new": [],
    "category_new": [],
    "category_edit": [],
    "block_product": [1],
    "block_photo": [1],
    "let_in": [1],
    "curation_remove": [1],
    "apply": [1],
}


def person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, password="a long password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def product(shelf, settings, tmp_path) -> Product:
    settings.SEARCH_CROPS_ROOT = tmp_path / "searched"
    for seed in range(2, 6):
        shelf.put(f"S-{seed}", seed)
    return shelf.put("S-1", 1, title="Shoe <1>")


@pytest.fixture
def ada(client, shelf) -> User:
    user = person("ada", "operate", "review")
    client.force_login(user)
    return user


@pytest.fixture
def rae(client, shelf) -> User:
    user = person("rae", "review", "view_verdict")
    client.force_login(user)
    return user


@pytest.mark.parametrize("name", PAGES)
def test_only_those_who_operate_see_what_is_curated(product, client, name):
    assert client.get(reverse(f"console:{name}")).status_code == 302
    client.force_login(person("rae", "review", "view_verdict"))
    assert client.get(reverse(f"console:{name}")).status_code == 403
    client.force_login(person("ada", "operate"))
    assert client.get(reverse(f"console:{name}")).status_code == 200


@pytest.mark.parametrize("name", WRITES)
def test_a_reviewer_changes_nothing_that_shoppers_see(product, rae, client, name):
    assert client.post(reverse(f"console:{name}", args=WRITES[name])).status_code == 403
    assert not AuditEntry.objects.exists()


def test_a_rule_is_previewed_kept_and_removed(product, ada, client):
    form = {"product": product.pk, "kind": "pin", "rank": "1", "where": "category", "category": "shoes", "why": "New."}
    page = client.post(reverse("console:curation_new"), {**form, "act": "preview"})
    assert page.status_code == 200
    assert page.content.decode().count("data-meant") >= 2
    assert not Curation.objects.exists()

    assert client.post(reverse("console:curation_new"), {**form, "act": "keep"}).url == reverse("console:curation")
    rule = Curation.objects.get()
    assert (rule.by, rule.product, rule.category.slug) == (ada, product, "shoes")
    page = client.get(reverse("console:curation")).content.decode()
    assert "Shoe &lt;1&gt;" in page
    assert client.get(reverse("console:curation_effect", args=[rule.pk])).status_code == 200
    client.post(reverse("console:curation_remove", args=[rule.pk]))
    assert not Curation.objects.kept().exists()


@pytest.mark.parametrize(
    "wrong", [{"rank": "x"}, {"rank": "0"}, {"why": ""}, {"category": "nothing"}, {"ends_at": "soon"}, {"kind": "x"}]
)
def test_a_rule_that_makes_no_sense_is_said_so_and_the_form_keeps_what_was_written(product, ada, client, wrong):
    form = {"product": product.pk, "kind": "pin", "rank": "1", "where": "category", "category": "shoes", "why": "Why."}
    page = client.post(reverse("console:curation_new"), {**form, **wrong, "act": "keep"})
    assert page.status_code == 400
    assert 'role="alert"' in page.content.decode()
    assert not Curation.objects.exists()


def test_a_rule_for_photos_like_one_is_made_of_a_kept_crop(product, ada, client):
    answer = search(Question(image=picture(1)))
    record(answer)
    searched_crops.wait()
    form = {"product": product.pk, "kind": "hide", "where": "cluster", "search": str(answer.id), "why": "No."}
    page = client.post(reverse("console:curation_new"), {**form, "least_score": "0.9", "act": "preview"})
    assert "Of the last 1 kept photos, 1 are of this kind." in page.content.decode()
    client.post(reverse("console:curation_new"), {**form, "least_score": "0.9", "act": "keep"})
    assert Curation.objects.get().least_score == 0.9


def test_blocking_asks_why_and_is_lifted_on_the_same_page(product, ada, client):
    path = reverse("console:block_product", args=[product.pk])
    assert client.post(path, {"why": ""}).status_code == 400
    client.post(path, {"why": "Counterfeit."})
    assert not Product.objects.shown().filter(pk=product.pk).exists()
    page = client.get(reverse("console:product", args=[product.pk])).content.decode()
    assert "Counterfeit." in page
    client.post(path, {"unblock": "1"})
    assert Product.objects.shown().filter(pk=product.pk).exists()


def test_a_blocked_photo_is_shown_to_those_who_operate_alone(product, ada, client):
    image = product.images.get()
    page = client.get(reverse("console:block_photo", args=[image.pk]))
    assert "1 picture shows it and goes with it." in page.content.decode()
    client.post(reverse("console:block_photo", args=[image.pk]), {"why": "Not theirs."})
    photo = BlockedPhoto.objects.get()
    path = reverse("console:blocked_picture", args=[photo.pk])
    assert client.get(path).status_code == 200
    client.post(reverse("console:let_in", args=[photo.pk]))
    assert product.images.count() == 1
    client.force_login(person("rae", "review"))
    assert client.get(path).status_code == 403


def test_an_edit_of_categories_says_what_it_touches_and_leaves_a_job(product, ada, client, shelf):
    shelf.put("W", 9, category="watches")
    path = reverse("console:category_edit")
    page = client.get(path, {"kind": "merge", "name": "watches", "into": "shoes"}).content.decode()
    assert "watches becomes a part of shoes" in page
    assert Category.objects.filter(slug="watches").exists()

    client.post(path, {"kind": "merge", "name": "watches", "into": "shoes", "why": "One shelf."})
    assert not Category.objects.filter(slug="watches").exists()
    job = Job.objects.get(kind="refile_categories")
    assert job.arguments["edit"] == "watches becomes a part of shoes"
    assert job.arguments["look_at"]
    assert AuditEntry.objects.get(action="category_merge").why == "One shelf."
    assert client.get(path, {"kind": "merge", "name": "nothing", "into": "shoes"}).status_code == 400


def test_a_follow_up_that_failed_can_be_asked_for_again(product, ada, client, shelf):
    shelf.put("W", 9, category="watches")
    client.post(reverse("console:category_edit"), {"kind": "merge", "name": "watches", "into": "shoes"})
    failed = Job.objects.get()
    Job.objects.update(state=Job.State.FAILED, finished_at=timezone.now(), error="No.")
    page = client.get(reverse("console:categories")).content.decode()
    assert reverse("console:category_again", args=[failed.pk]) in page
    client.post(reverse("console:category_again", args=[failed.pk]))
    assert Job.objects.unfinished().get().arguments == failed.arguments


def test_a_category_is_added_and_renamed(product, ada, client):
    client.post(reverse("console:category_new"), {"name": "Boots"})
    client.post(reverse("console:category_label", args=["boots"]), {"name": "Boots and wellies"})
    assert Category.objects.get(slug="boots").name == "Boots and wellies"
    assert client.post(reverse("console:category_new"), {"name": "boots"}).status_code == 400


def test_a_reviewer_corrects_and_applies_nothing(product, rae, client):
    image = product.images.get()
    box = {"x1": "10", "y1": "10", "x2": "60", "y2": "70.5"}
    client.post(reverse("console:correct_image", args=[image.pk]), box)
    client.post(reverse("console:correct_product", args=[product.pk]), {"gender": "women", "category": "shoes"})
    rows = dict(Correction.objects.values_list("field", "after"))
    assert rows == {"box": [0.1, 0.1, 0.6, 0.705], "gender": "women"}
    assert client.post(reverse("console:correct_product", args=[product.pk]), {"apply": "1"}).status_code == 403
    product.refresh_from_db()
    assert (product.gender, product.corrected) == ("", {})
    assert client.get(reverse("console:product", args=[product.pk])).status_code == 200


def test_an_applied_correction_is_the_products_own_and_a_feed_does_not_write_over_it(product, ada, client, tmp_path):
    from catalog.uploads.imports import import_feed
    from tests.feed_folder import FeedFolder

    path = reverse("console:correct_product", args=[product.pk])
    client.post(path, {"gender": "women", "color": "red", "pattern": "striped", "apply": "1"})
    product.refresh_from_db()
    assert (product.gender, product.colors) == ("female", ["red"])
    assert ProductImage.objects.filter(product=product).exclude(payload_due=None).exists()
    feed = FeedFolder(tmp_path / "feed")
    feed.add("S-1", color="Blue", gender="male", product_type="watches")
    import_feed(feed.write(), merchant=product.merchant)
    product.refresh_from_db()
    assert (product.gender, product.colors, product.category.slug) == ("female", ["red"], "watches")
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"correction_applied"}


def test_an_applied_category_outlives_feeds_too(product, ada, client, shelf, tmp_path):
    from catalog.uploads.imports import import_feed
    from tests.feed_folder import FeedFolder

    shelf.put("W", 9, category="watches")
    client.post(reverse("console:correct_product", args=[product.pk]), {"category": "watches", "apply": "1"})
    feed = FeedFolder(tmp_path / "feed")
    feed.add("S-1", product_type="shoes")
    import_feed(feed.write(), merchant=product.merchant)
    product.refresh_from_db()
    assert product.category.slug == "watches"


@pytest.mark.parametrize("box", [{}, {"x1": "1"}, {"x1": "a", "y1": "0", "x2": "1", "y2": "1"}])
def test_a_box_that_is_none_is_refused(product, rae, client, box):
    image = product.images.get()
    assert client.post(reverse("console:correct_image", args=[image.pk]), box).status_code == 400
    assert not Correction.objects.exists()


def test_the_crop_of_a_sheet_is_corrected_and_the_sheet_comes_back(product, rae, client):
    answer = search(Question(image=picture(1)))
    record(answer)
    searched_crops.wait()
    form = {"x1": "0", "y1": "0", "x2": "50", "y2": "100", "category": "shoes"}
    path = reverse("console:correct_search", args=[answer.id])
    assert client.post(path, form).url == reverse("console:search", args=[answer.id])
    assert Correction.objects.get().after == [0.0, 0.0, 0.5, 1.0]
    assert "Fix the box or category" in client.get(reverse("console:search", args=[answer.id])).content.decode()
