"""The shopper's page: a photo in, products out. Scripts make it live; without them a form does the same."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import get_script_prefix, reverse
from django.views.decorators.http import require_http_methods, require_safe

from catalog.answers import Json, recall, record
from catalog.models import Category, Product
from catalog.pages.cards import cards_of, thumb
from catalog.pages.media import THUMB_PX
from catalog.pages.samples import read_sample, samples
from catalog.pages.security import page
from catalog.pages.wording import DEFAULT_REASON, ERRORS, REASONS, Sentence, for_scripts
from catalog.questions import ALL_CATEGORIES, Question
from catalog.search import search
from shop_search.errors import InputError, ServiceError

logger = logging.getLogger(__name__)

# What the page's script imports, fetched at once instead of one after the other.
MODULES = (
    "answer",
    "api",
    "boxes",
    "chips",
    "geometry",
    "intake",
    "money",
    "page",
    "photo",
    "results",
    "share",
    "shelf",
    "stage",
    "strip",
)


@dataclass(frozen=True, slots=True)
class Rect:
    """Where a product was in the photo, as SVG draws it."""

    x: float
    y: float
    width: float
    height: float


@page
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """The start page. A POST searches and leads to the answer's own address."""
    if request.method == "POST":
        return _search(request)
    return _page(request)


@page
@require_safe
def shared(request: HttpRequest, search_id: UUID) -> HttpResponse:
    """An answer given before, with its products as they are now and without the photo, which nobody kept."""
    try:
        answer = recall(search_id)
    except InputError:
        return _page(request, error=ERRORS["search_unknown"], status=404)
    return _page(request, answer=answer)


def _search(request: HttpRequest) -> HttpResponse:
    question = Question(image=_photo(request), category=request.POST.get("category") or None)
    try:
        answer = search(question)
        record(answer)
    except InputError as error:
        return _page(request, error=(ERRORS["photo"][0], error.message), status=400)
    except ServiceError as error:
        logger.error("%s: %s", error.code, error.message, exc_info=error)
        return _page(request, error=ERRORS["server"], status=503)
    return redirect("pages:shared", answer.id)


def _photo(request: HttpRequest) -> bytes | None:
    """Returns the sent photo, read no further than it takes to see that it is too large; or the named sample."""
    upload = request.FILES.get("image")
    if upload is not None:
        data: bytes = upload.read(settings.SEARCH_MAX_IMAGE_BYTES + 1)
        return data
    return read_sample(request.POST.get("sample", ""))


def _page(
    request: HttpRequest,
    *,
    answer: Json | None = None,
    error: tuple[Sentence, Sentence] | None = None,
    status: int = 200,
) -> HttpResponse:
    categories = _categories()
    context = {
        "modules": [f"catalog/js/{name}.js" for name in MODULES],
        "samples": [(sample, thumb(sample.url)) for sample in samples()],
        "categories": categories,
        "error": error,
        "page_data": {
            "searchUrl": f"{get_script_prefix()}api/v1/search/",
            "productUrl": reverse("pages:product", args=[0]),
            "sharedUrl": reverse("pages:shared", args=[UUID(int=0)]),
            "homeUrl": reverse("pages:home"),
            "mediaUrl": settings.MEDIA_URL,
            "thumbPx": THUMB_PX,
            "maxBytes": settings.SEARCH_MAX_IMAGE_BYTES,
            "everything": ALL_CATEGORIES,
            "categories": categories,
            "texts": for_scripts(),
        },
    }
    if answer is not None:
        context |= _answer_context(answer, categories)
    return render(request, "catalog/search.html", context, status=status)


def _answer_context(answer: Json, categories: dict[str, str]) -> Json:
    category = answer["selected"]["category"]
    name = category and categories.get(category["slug"], category["slug"].replace("-", " ").capitalize())
    return {
        "answer": answer,
        "plan": [Rect(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in (region["box"] for region in answer["regions"])],
        "cards": cards_of(answer),
        "category_name": name,
        "reason": REASONS.get(answer["reason"], DEFAULT_REASON) if answer["band"] == "nothing_close" else None,
    }


def _categories() -> dict[str, str]:
    """Returns the names of the categories in which something is for sale, by slug, in order of name."""
    for_sale = Product.objects.shown().filter(category=OuterRef("pk"))
    return dict(Category.objects.filter(Exists(for_sale)).values_list("slug", "name"))
