"""How shoppers met a merchant's products, what they searched for, and what they looked for in vain."""

from collections.abc import Iterable

from django.core import signing
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from catalog.insights.counts import PERIODS, Period, by_day, most_shown, never_shown, searched_categories
from catalog.insights.unmet_demand import LEAST, Demand, unmet_demand
from catalog.models import Member, ProductImage
from catalog.pages.cards import thumb
from catalog.pages.merchant.access import member_page
from catalog.pages.merchant.plots import plot, share
from catalog.pictures.searched_crops import path_of

DEFAULT = 30  # days
_MOST = 25  # products in the table
_NEVER = 12  # products that are named of those never shown
_CATEGORIES = 12
_CLUSTERS = 12
# The board signs the addresses of its pictures: a merchant asks for no other crop, and not for long.
_SALT = "looked-for-in-vain"
_SIGNED_S = 3600


@member_page()
@require_http_methods(["GET", "HEAD"])
def insights(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The numbers of the last days; `days` says how many."""
    days = request.GET.get("days", "")
    period = Period(next((known for known in PERIODS if str(known) == days), DEFAULT))
    merchant = member.merchant
    told = by_day(merchant, period)
    shown = most_shown(merchant, period, _MOST)
    never = never_shown(merchant, period)
    few = list(never[:_NEVER])
    categories = searched_categories(merchant, period, _CATEGORIES)
    most = max((one.searches for one in categories), default=0)
    pictures = _pictures([*(one.product.pk for one in shown), *(one.pk for one in few)])
    impressions, clicks = sum(one.impressions for one in told), sum(one.clicks for one in told)
    context = {
        "member": member,
        "tab": "insights",
        "period": period,
        "periods": PERIODS,
        "days": told,
        "plots": [
            {"title": _("Shown, per day"), "plot": plot([(one.day, one.impressions) for one in told])},
            {"title": _("Clicked, per day"), "plot": plot([(one.day, one.clicks) for one in told])},
        ],
        "impressions": impressions,
        "clicks": clicks,
        "click_rate": percent(clicks, impressions),
        "shown": [
            {"one": one, "rate": percent(one.clicks, one.impressions), "picture": pictures.get(one.product.pk)}
            for one in shown
        ],
        "never": never.count(),
        "never_some": [{"product": one, "picture": pictures.get(one.pk)} for one in few],
        "categories": [
            {
                "one": one,
                "share": share(one.searches, most),
                "nothing": share(one.nothing_close, most),
                "rate": percent(one.nothing_close, one.searches),
            }
            for one in categories
        ],
        "board": [
            {"demand": one, "label": label(one), "crops": [signed(crop, merchant.slug) for crop in one.cluster.crops]}
            for one in unmet_demand(merchant, period, _CLUSTERS)
        ],
        "least": LEAST,
    }
    return render(request, "merchant/insights.html", context)


@member_page()
@require_http_methods(["GET", "HEAD"])
def looked_for(request: HttpRequest, member: Member, crop: str) -> HttpResponseBase:
    """One small picture of the board, by the address that the board gave it."""
    try:
        name = signing.loads(crop, salt=f"{_SALT}:{member.merchant.slug}", max_age=_SIGNED_S)
    except signing.BadSignature as error:
        raise Http404("Open the page of insights anew: its pictures are shown for an hour.") from error
    path = path_of(name)
    if path is None:
        raise Http404("This picture is no longer kept.")
    response = FileResponse(path.open("rb"), content_type="image/jpeg")
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def signed(crop: str, merchant: str) -> str:
    """Returns the name of a kept crop as this merchant's board gives it away."""
    return signing.dumps(crop, salt=f"{_SALT}:{merchant}")


def percent(part: int, whole: int) -> str:
    """Returns "4.2 %", or "-" where there is nothing to count."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def label(demand: Demand) -> str:
    """Returns what a cluster is about, in words."""
    one = demand.cluster
    words = " ".join(part for part in (one.color, demand.name.lower()) if part)
    said = " ".join(one.words)
    if said and words:
        return _("%(words)s, “%(said)s”") % {"words": words, "said": said}
    return words or f"“{said}”"


def _pictures(products: Iterable[int]) -> dict[int, str]:
    """Returns the address of each product's main picture, small."""
    found: dict[int, str] = {}
    for image in ProductImage.objects.filter(product__in=list(products)).order_by("product", "position"):
        if image.product_id not in found:
            found[image.product_id] = thumb(image.file.url)
    return found
