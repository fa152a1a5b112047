"""The shopper's page: a photo in, products out. Scripts make it live; without them a form does the same."""

import logging
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import get_script_prefix, reverse
from django.views.decorators.http import require_http_methods, require_safe

from catalog.models import Category, Product
from catalog.pages.answers import answer_context
from catalog.pages.asked import address_of, image_url_in, is_asking, question_of
from catalog.pages.cards import thumb
from catalog.pages.facets import SWATCHES
from catalog.pages.media import THUMB_PX
from catalog.pages.modules import MODULES
from catalog.pages.samples import read_sample, samples
from catalog.pages.security import page
from catalog.pages.wording import ERRORS, Sentence, for_scripts
from catalog.search.answers import Json, as_json, keep, recall
from catalog.search.questions import ALL_CATEGORIES
from catalog.search.search import search
from catalog.versions.visitors import by_visitor
from shop_search.errors import InputError, ServiceError

logger = logging.getLogger(__name__)


@page
@by_visitor
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
        keep(answer)
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
        keep(answer)
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
        context |= answer_context(answer, categories, request.GET)
    return render(request, "catalog/search.html", context, status=status)


def _categories() -> dict[str, str]:
    """Returns the names of the categories in which something is for sale, by slug, in order of name."""
    for_sale = Product.objects.shown().filter(category=OuterRef("pk"))
    return dict(Category.objects.filter(Exists(for_sale)).values_list("slug", "name"))
