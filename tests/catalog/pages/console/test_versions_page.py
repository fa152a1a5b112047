import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from catalog.comparisons.comparing import compare
from catalog.indexing.index import index_all
from catalog.models import AuditEntry, Job, Trial, Version
from catalog.pages.console.versions_shown import options_text
from catalog.roles import ADMINS, READERS
from catalog.versions import propose
from catalog.versions.beside import build
from embeddings import encoder
from shop_search.model_card import ModelCard
from tests.catalog.shop import Shop, open_shop
from tests.fakes import FakeEncoder

pytestmark = pytest.mark.django_db
URL = "/console/versions/"


@pytest.fixture
def shop(settings, tmp_path) -> Shop:
    settings.VERSION_GATE = {**settings.VERSION_GATE, "queries": 5, "latency_ratio": 1000, "category_queries": 100}
    settings.VERSION_GATE["measures"] = {"encoder": {"recall@1": -0.3}, "ranking": {"recall@1": -0.3}}
    shop = open_shop(settings, tmp_path)
    for n in range(8):
        shop.feed.add(f"P-{n}", seed=n, additional_image_link=f"P-{n}-b.png")
        shop.feed.draw(f"P-{n}-b.png", seed=n, size=(120, 120))
    shop.upload()
    index_all()
    return shop


def signed_in(group: str) -> Client:
    user = User.objects.create_user(group.split()[0].lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(shop) -> Client:
    return signed_in(ADMINS)


def ready(version: str) -> Version:
    made = propose("encoder", name=f"fake {version}", options={"version": version}, by=None)
    build(made)
    compare(made, by=None, sample=8)
    return made


def test_the_page_says_what_is_live_and_who_may_read_may_not_switch(shop):
    version = ready("2")
    reader = signed_in(READERS)
    page = reader.get(URL).content.decode()
    assert "as in the settings" in page
    assert "fake 2" in page
    assert "Promote fake 2" not in page
    for path in ("promote", "build", "compare", "retire", "try"):
        assert reader.post(f"{URL}{version.pk}/{path}/", {"why": "x"}).status_code == 403
    assert reader.post(f"{URL}rollback/encoder/", {"why": "x"}).status_code == 403
    assert Client().get(URL).status_code == 302


def test_a_model_is_called_by_its_name_and_not_by_where_its_card_lies(settings, tmp_path):
    path = settings.BASE_DIR / "detection" / "weights" / "card.json"
    assert options_text("detector", {"card": str(path)}) == ModelCard.load(path).label
    gone = tmp_path / "tried" / "card.json"
    assert options_text("encoder", {"card": str(gone), "version": "2"}) == "tried (its card can't be read), version 2"


def test_weights_are_proposed_and_a_wrong_sum_is_told_with_what_was_typed(admin):
    weights = {"weight-appearance": "0.7", "weight-color": "0.1", "weight-attributes": "0.1", "weight-quality": "0.1"}
    wrong = admin.post(f"{URL}new/", {"kind": "ranking", "name": "mine", **weights, "weight-color": "0.5"})
    assert wrong.status_code == 400
    assert "sum to 1.4" in wrong.content.decode()
    assert 'value="mine"' in wrong.content.decode()
    assert admin.post(f"{URL}new/", {"kind": "ranking", "name": "mine", **weights}).status_code == 302
    assert Version.objects.get().made_by.username == "shop"


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "encoder", "name": "x", "card": "/etc/passwd"},
        {"kind": "encoder", "name": "x"},
        {"kind": "bands", "name": "x", "threshold-similar": "much"},
        {"kind": "", "name": "x"},
    ],
)
def test_what_is_no_proposal_is_refused_in_the_page(admin, form):
    answer = admin.post(f"{URL}new/", form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert not Version.objects.exists()


def test_building_and_comparing_are_jobs_asked_for_once(admin):
    version = propose("encoder", name="two", options={"version": "2"}, by=None)
    for _ in range(2):
        admin.post(f"{URL}{version.pk}/build/")
        admin.post(f"{URL}{version.pk}/compare/", {"sample": "8"})
    assert sorted(Job.objects.values_list("kind", flat=True)) == ["build_version", "compare_version"]
    page = admin.get(f"{URL}?part").content.decode()
    assert "waits for a worker" in page
    assert "<html" not in page
    assert admin.post(f"{URL}{version.pk}/compare/", {"sample": "many"}).status_code == 400


def test_the_gate_refuses_in_the_page_and_no_form_field_gets_past_it(admin):
    version = ready("poor")
    answer = admin.post(f"{URL}{version.pk}/promote/", {"why": "mine", "without_gate": "1"})
    assert answer.status_code == 400
    assert "The gate refuses fake poor" in answer.content.decode()
    assert encoder().card.fingerprint == FakeEncoder("1").card.fingerprint


def test_a_promote_and_a_rollback_stand_in_the_history_with_their_reasons(admin):
    version = ready("2")
    assert admin.post(f"{URL}{version.pk}/promote/", {"why": ""}).status_code == 400
    assert admin.post(f"{URL}{version.pk}/promote/", {"why": "finds more"}).status_code == 302
    assert encoder().card.fingerprint == FakeEncoder("2").card.fingerprint
    assert "To what the settings say" in admin.get(URL).content.decode()
    assert admin.post(f"{URL}rollback/encoder/", {"why": "too slow"}).status_code == 302
    page = admin.get(URL).content.decode()
    assert page.index("too slow") < page.index("finds more")
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == ["promote", "rollback"]


def test_a_comparison_shows_losses_as_pictures_side_by_side(admin):
    row = ready("poor").comparisons.get()
    page = admin.get(f"{URL}comparisons/{row.pk}/").content.decode()
    assert "The gate refuses it" in page
    assert "the very product" in page
    assert page.count('class="pair"') == row.queries
    assert admin.get(f"{URL}comparisons/999/").status_code == 404


def test_a_trial_is_started_and_stopped(admin):
    version = ready("2")
    assert admin.post(f"{URL}{version.pk}/try/", {"share": "10", "why": "to see"}).status_code == 302
    trial = Trial.objects.get()
    assert "Live A/B" in admin.get(URL).content.decode()
    assert admin.post(f"{URL}trials/{trial.pk}/stop/", {"why": "seen"}).status_code == 302
    trial.refresh_from_db()
    assert trial.state == "stopped"


def test_a_retired_version_leaves_the_page(admin):
    version = ready("2")
    admin.post(f"{URL}{version.pk}/retire/", {"why": "no use"})
    page = admin.get(URL).content.decode()
    assert f'id="version-{version.pk}"' not in page
    assert "1 more were retired" in page
