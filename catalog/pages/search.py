"""The shopper's page: a photo in, products out. Scripts make it live; without them a form does the same."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import get_script_prefix, reverse
from django.views.decorators.http import require_http_methods, require_safe

from catalog.answers import Json, as_json, product_as_json, recall, record
from catalog.listing import shown_product
from catalog.models import Category, Product
from catalog.pages.asked import address_of, image_url_in, is_asking, question_of, wishes_of
from catalog.pages.cards import cards_of, groups_of, price_text, shop_link, thumb
from catalog.pages.facets import SWATCHES, facets_of
from catalog.pages.media import THUMB_PX
from catalog.pages.samples import read_sample, samples
from catalog.pages.security import page
from catalog.pages.wording import DEFAULT_REASON, ERRORS, REASONS, Sentence, for_scripts
from catalog.questions import ALL_CATEGORIES
from catalog.search import search
from shop_search.errors import InputError, ServiceError

logger = logging.getLogger(__name__)

# What the page's script imports, fetched at once instead of one after the other.
MODULES = (
    "answer",
    "api",
    "asked",
    "boxes",
    "card",
    "chips",
    "copies",
    "facets",
    "facts",
    "geometry",
    "intake",
    "look",
    "money",
    "notice",
    "options",
    "overlay",
    "page",
    "past",
    "photo",
    "question",
    "recent",
    "results",
    "share",
    "sheet",
    "shelf",
    "stage",
    "strip",
    "taste",
    "turns",
    "view",
    "wishes",
    "words",
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
    """The start page, or the answer to the words or the product in its address. A photo comes by POST."""
    if request.method == "POST":
        return _search_photo(request)
    if is_asking(request.GET):
        return _search_words(request)
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


def _search_photo(request: HttpRequest) -> HttpResponse:
    """Searches with the photo of the plain form and leads to the answer's own address; words alone have their own."""
    image = _photo(request)
    address = image_url_in(request.POST.get("q", "")) if image is None else None
    if image is None and address is None and is_asking(request.POST):
        return redirect(reverse("pages:home") + address_of(request.POST))
    try:
        answer = search(question_of(request.POST, image=image, image_url=address))
        record(answer)
    except (InputError, ServiceError) as error:
        return _refusal(request, error, headline=ERRORS["photo"][0])
    params = request.POST.copy()
    params.pop("product", None)
    if address:
        params.pop("q")
    return redirect(reverse("pages:shared", args=[answer.id]) + address_of(params))


def _search_words(request: HttpRequest) -> HttpResponse:
    """Answers in place: an address that asks can be kept and shared as it is."""
    try:
        answer = search(question_of(request.GET))
        record(answer)
    except (InputError, ServiceError) as error:
        return _refusal(request, error, headline=ERRORS["question"][0])
    return _page(request, answer=as_json(answer))


def _refusal(request: HttpRequest, error: InputError | ServiceError, *, headline: Sentence) -> HttpResponse:
    if isinstance(error, InputError):
        words = " ".join(error.fields.values()) or error.message
        return _page(request, error=(headline, words), status=400)
    logger.error("%s: %s", error.code, error.message, exc_info=error)
    return _page(request, error=ERRORS["server"], status=503)


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
        "asked": request.POST if request.method == "POST" else request.GET,
        "page_data": {
            "address": request.get_full_path(),
            "answer": answer,
            "productApiUrl": f"{get_script_prefix()}api/v1/products/0/",
            "pictureUrl": reverse("pages:picture"),
            "swatches": SWATCHES,
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
        context |= _answer_context(answer, categories, request.GET)
    return render(request, "catalog/search.html", context, status=status)


def _answer_context(answer: Json, categories: dict[str, str], params: QueryDict) -> Json:
    category = answer["selected"]["category"]
    name = category and categories.get(category["slug"], category["slug"].replace("-", " ").capitalize())
    cards = cards_of(answer)
    answer["copies"] = [_copy(copy) for copy in answer.get("copies", [])]
    return {
        "answer": answer,
        "asked_product": _asked_product(params),
        "bands": groups_of(cards),
        "wishes": wishes_of(answer, params),
        "facets": facets_of(answer, params),
        "can_filter": is_asking(params) and answer["image"] is None,
        "plan": [Rect(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in (region["box"] for region in answer["regions"])],
        "cards": cards,
        "category_name": name,
        "reason": REASONS.get(answer["reason"], DEFAULT_REASON) if answer["band"] == "nothing_close" else None,
    }


def _copy(copy: Json) -> Json:
    """Returns a copy with what a page without scripts prints."""
    product = copy["product"]
    link = shop_link(product["url"] or "") or copy["image"]["url"]
    return {**copy, "link": link, "price": price_text(product["price"], product["currency"] or "")}


def _asked_product(params: QueryDict) -> Json | None:
    """Returns the product in the address as results show it, or None."""
    text = params.get("product", "")
    try:
        return product_as_json(shown_product(int(text))) if text.isdecimal() and len(text) < 16 else None
    except InputError:
        return None


def _categories() -> dict[str, str]:
    """Returns the names of the categories in which something is for sale, by slug, in order of name."""
    for_sale = Product.objects.shown().filter(category=OuterRef("pk"))
    return dict(Category.objects.filter(Exists(for_sale)).values_list("slug", "name"))
