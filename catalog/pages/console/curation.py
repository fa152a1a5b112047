"""The curation pages: rules in force and past, a new one with a preview of what it changes, and taking one back."""

from datetime import timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.curation.curating import FACTORS, MOST_RANK, add, checked, least_score, remove
from catalog.listing import list_products
from catalog.models import Category, Curation, Product, SearchRecord
from catalog.pages.cards import price_text, thumb
from catalog.pages.console.access import OPERATE, console
from catalog.pages.console.asked_rules import draft_of
from catalog.pages.console.curation_preview import preview
from shop_search.errors import InputError

FOUND = 12
CROPS = 18
PAST = 30


@console(OPERATE)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Rules in force, waiting and past."""
    now = timezone.now()
    rows = Curation.objects.select_related("product__merchant", "category", "by", "search")
    kept = [_row(row) for row in rows.kept().exclude(ends_at__lte=now)]
    ended = rows.exclude(pk__in=[one["rule"].pk for one in kept])[:PAST]
    context = {"rules": kept, "ended": [_row(row) for row in ended], "here": "curation", "now": now}
    return render(request, "console/curation.html", context)


@console(OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """A new rule: find a product, say what and where, look at the effect, keep it."""
    form = request.POST if request.method == "POST" else request.GET
    product = _product(form.get("product", ""))
    if product is None:
        return _choose(request)
    context: dict[str, Any] = {"errors": {}, "trouble": ""}
    status = 200
    try:
        if request.method == "POST" and form.get("act") == "preview":
            context["preview"] = preview(checked(draft_of(form)))
        elif request.method == "POST":
            add(draft_of(form), by=_user(request))
            return redirect("console:curation")
    except InputError as error:
        status = 400
        context |= {"errors": error.fields, "trouble": "" if error.fields else error.message}
    searches = SearchRecord.objects.exclude(crop="").order_by("-created_at")[:CROPS]
    context |= {
        "product": product,
        "picture": _picture(product),
        "price": price_text(product.price, product.currency),
        "form": _filled(form, product),
        "kinds": Curation.Kind.choices,
        "categories": Category.objects.all(),
        "searches": searches,
        "most_rank": MOST_RANK,
        "factors": FACTORS,
        "least_score": least_score(),
        "here": "curation",
    }
    return render(request, "console/curation_new.html", context, status=status)


@console(OPERATE)
@require_safe
def effect(request: HttpRequest, rule_id: int) -> HttpResponseBase:
    """What a rule that is there does: answers without it and with it."""
    row = get_object_or_404(Curation.objects.select_related("product", "category"), pk=rule_id)
    context = {**_row(row), "preview": preview(row), "here": "curation"}
    return render(request, "console/curation_effect.html", context)


@console(OPERATE)
@require_POST
def take_back(request: HttpRequest, rule_id: int) -> HttpResponseBase:
    """Removes a rule."""
    remove(get_object_or_404(Curation, pk=rule_id), by=_user(request), why=request.POST.get("why", ""))
    return redirect("console:curation")


def _choose(request: HttpRequest) -> HttpResponseBase:
    q = request.GET.get("q", "").strip()[:200]
    found = list_products(q=q, limit=FOUND)[1] if q else []
    products = [
        {"product": one, "picture": _picture(one), "price": price_text(one.price, one.currency)} for one in found
    ]
    return render(request, "console/curation_choose.html", {"q": q, "found": products, "here": "curation"})


def _row(row: Curation) -> dict[str, Any]:
    now = timezone.now()
    state = "in_force"
    if row.removed_at is not None:
        state = "removed"
    elif row.ends_at is not None and row.ends_at <= now:
        state = "ended"
    elif row.starts_at is not None and row.starts_at > now:
        state = "waiting"
    return {
        "rule": row,
        "state": state,
        "ends_soon": row.ends_at is not None and row.ends_at - now < timedelta(days=2),
        "picture": _picture(row.product),
        "is_shown": row.product.is_shown,
        "has_crop": bool(row.search and row.search.crop),
    }


def _filled(form: Any, product: Product) -> dict[str, str]:
    defaults = {
        "kind": "pin",
        "where": "category",
        "category": product.category.slug,
        "rank": "1",
        "factor": "1.3",
        "least_score": f"{least_score():.2f}",
    }
    names = ("kind", "where", "category", "search", "rank", "factor", "least_score", "starts_at", "ends_at", "why")
    return {name: form.get(name, defaults.get(name, "")) for name in names}


def _product(text: str) -> Product | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        return None
    return Product.objects.for_cards().filter(pk=int(text)).first()


def _picture(product: Product) -> str | None:
    image = next(iter(product.images.all()), None)
    return thumb(image.file.url) if image else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
