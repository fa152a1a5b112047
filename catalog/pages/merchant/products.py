"""A merchant's own products: find them, see where they stand, withdraw them and bring them back, many at once."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from catalog.curation.told import decided, decisions_about
from catalog.models import Member, Product
from catalog.models.querysets import ProductQuerySet
from catalog.pages.cards import price_text
from catalog.pages.merchant.access import member_page

PAGE = 40
_ACTIONS: Mapping[str, Callable[[ProductQuerySet], int]] = {
    "withdraw": lambda products: products.withdraw(),
    "restore": lambda products: products.restore(),
    "in_stock": lambda products: products.set_stock(True),
    "out_of_stock": lambda products: products.set_stock(False),
}
_STATES = {
    "shown": Q(withdrawn_at=None, blocked_at=None),
    "withdrawn": Q(withdrawn_at__isnull=False),
    "waiting": Q(withdrawn_at=None) & (Q(images__state="pending") | Q(awaited__isnull=False)),
    "failed": Q(withdrawn_at=None, images__state="failed"),
    "no_picture": Q(withdrawn_at=None, images=None),
}
_DECIDED = "decided"  # what the shop's admins keep from shoppers; asked when the page is, for rules have their time


@member_page()
@require_http_methods(["GET", "HEAD"])
def products(request: HttpRequest, member: Member) -> HttpResponseBase:
    """One page of the products, by words and by where they stand."""
    words = request.GET.get("q", "").strip()[:200]
    state = request.GET.get("state", "")
    found = Product.objects.for_merchant(member.merchant)
    if state in _STATES:
        found = found.filter(_STATES[state]).distinct()
    elif state == _DECIDED:
        found = found.filter(decided())
    if words:
        found = found.filter(Q(title__icontains=words) | Q(sku__icontains=words) | Q(brand__icontains=words))
    window = Paginator(found.for_cards().order_by("-updated_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    told = decisions_about(window)
    rows = [
        {
            "product": product,
            "images": (images := list(product.images.all())),
            "decision": next(iter(told.get(product.pk, [])), None),
            "price": price_text(product.price, product.currency),
            "failed": next((image for image in images if image.state == "failed"), None),
            "is_waiting": any(image.state == "pending" for image in images),
        }
        for product in window
    ]
    context = {
        "member": member,
        "window": window,
        "rows": rows,
        "q": words,
        "state": state,
        "states": [*_STATES, _DECIDED],
        "tab": "products",
        "changed": request.GET.get("changed", "") if request.GET.get("changed", "").isdecimal() else "",
    }
    return render(request, "merchant/products.html", context)


@member_page(must_edit=True)
@require_POST
def change(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Does one thing with the chosen products, and returns to where they were chosen. Nothing is embedded anew."""
    chosen = [int(text) for text in request.POST.getlist("product") if text.isdecimal() and len(text) < 19]
    own = Product.objects.for_merchant(member.merchant).filter(pk__in=chosen[: 2 * PAGE])
    do = _ACTIONS.get(request.POST.get("action", ""))
    changed = do(own) if do is not None else 0
    back = {name: request.POST.get(name, "")[:200] for name in ("q", "state", "page")}
    address = reverse("merchant:products", kwargs={"slug": member.merchant.slug})
    return redirect(f"{address}?{urlencode({**back, 'changed': changed})}")
