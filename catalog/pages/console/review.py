"""The review pages: one search at a time, one key for each result. Without scripts, forms do the same."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from catalog.models import SearchRecord, Verdict
from catalog.pages.cards import price_text, thumb
from catalog.pages.console.access import REVIEW, console
from catalog.pages.console.corrections import fix_of
from catalog.pages.wording import GROUPS
from catalog.pictures.searched_crops import path_of
from catalog.review.verdicts import Sheet, judge, judge_sight, progress, queue, sheet, undo
from shop_search.errors import InputError

# What a session remembers of skipped searches: a cookie's worth of ids.
MOST_SKIPPED = 200


@dataclass(frozen=True, slots=True)
class Key:
    """One verdict, as its button says it."""

    key: str
    value: str
    label: str


KEYS = tuple(Key(str(place), kind.value, kind.label) for place, kind in enumerate(Verdict.Kind, 1))


@console(REVIEW)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Leads to the search that comes next, or says that all is done."""
    coming = next(iter(_coming(request)), None)
    if coming is None:
        return render(request, "console/all_done.html", {"progress": progress(_user(request)), "here": "review"})
    return redirect("console:search", coming)


@console(REVIEW)
@require_safe
def search(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """One search to judge. `?part` is the sheet alone, for the page's script."""
    user = _user(request)
    try:
        shown = sheet(search_id, user)
    except InputError as error:
        raise Http404(error.message) from error
    template = "console/_sheet.html" if "part" in request.GET else "console/review.html"
    known = {"progress": progress(user), "waiting": len(_coming(request)), "here": "review"}
    return render(request, template, {**_context(shown), **known})


@console(REVIEW)
@require_safe
def after(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """The sheet of the search that comes after this one; 204 when there is none."""
    coming = _coming(request, but=search_id)
    if not coming:
        return HttpResponse(status=204)
    context = _context(sheet(coming[0], _user(request)))
    return render(request, "console/_sheet.html", {**context, "waiting": len(coming)})


@console(REVIEW)
@require_POST
def verdict(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """Keeps one verdict."""
    number = request.POST.get("product", "")
    try:
        if not number.isdecimal() or len(number) > 18:
            raise InputError("product_not_found", f"{number[:40]!r} is no product's number.")
        judge(search_id, product=int(number), verdict=request.POST.get("verdict", ""), reviewer=_user(request))
    except InputError as error:
        return JsonResponse({"code": error.code, "message": error.message}, status=400)
    return _answer(request, search_id)


@console(REVIEW)
@require_POST
def sight(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """Keeps that the search looked at the wrong part of the photo; without `wrong=1` takes it back."""
    try:
        judge_sight(search_id, is_wrong=request.POST.get("wrong") == "1", reviewer=_user(request))
    except InputError as error:
        return JsonResponse({"code": error.code, "message": error.message}, status=400)
    return _answer(request, search_id)


@console(REVIEW)
@require_POST
def take_back(request: HttpRequest) -> HttpResponseBase:
    """Takes the latest verdict back and leads to its search."""
    gone = undo(_user(request))
    if gone is None:
        return JsonResponse({"search": None}) if _is_script(request) else redirect("console:review")
    if _is_script(request):
        today = progress(_user(request)).today
        return JsonResponse({"search": str(gone.search_id), "product": gone.product_id, "today": today})
    return redirect("console:search", gone.search_id)


@console(REVIEW)
@require_POST
def skip(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """Leaves a search for others. It doesn't come again until this reviewer signs in anew."""
    skipped = [one for one in request.session.get("skipped", []) if one != str(search_id)]
    request.session["skipped"] = [*skipped, str(search_id)][-MOST_SKIPPED:]
    return JsonResponse({}) if _is_script(request) else redirect("console:review")


@console(REVIEW)
@require_safe
def crop(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """The small picture of what was searched with."""
    kept = SearchRecord.objects.filter(pk=search_id).values_list("crop", flat=True).first()
    path = path_of(kept or "")
    if path is None:
        raise Http404("There is no picture of this search.")
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _coming(request: HttpRequest, *, but: UUID | None = None) -> list[UUID]:
    """Returns all searches that wait for this reviewer, the next one first."""
    skip = {UUID(one) for one in request.session.get("skipped", [])} | ({but} if but else set())
    return queue(_user(request), skip=skip)


def _context(shown: Sheet) -> dict[str, Any]:
    curated = shown.search.answer.get("curated", {})  # which results a rule of an admin moved
    return {
        "sheet": shown,
        "band": _band(shown.search.band),
        "keys": KEYS,
        "fix": fix_of(shown.search),
        "cards": [
            {
                "item": item,
                "curated": curated.get(str(item.product["id"]), ""),
                "band": _band(item.band),
                "image": thumb(item.product["image"]) if item.product["image"] else None,
                "price": price_text(item.product["price"], item.product["currency"] or ""),
            }
            for item in shown.items
        ],
    }


def _band(name: str) -> str:
    return str(GROUPS[name]) if name in GROUPS else name.replace("_", " ").capitalize()


def _answer(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    if _is_script(request):
        return JsonResponse({"today": progress(_user(request)).today})
    return redirect("console:search", search_id)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
