"""A merchant's own products: find them, see where they stand, withdraw them."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from catalog.models import Member, Product
from catalog.pages.cards import price_text
from catalog.pages.merchant.access import member_page

PAGE = 40
_STATES = {
    "shown": Q(withdrawn_at=None),
    "withdrawn": Q(withdrawn_at__isnull=False),
    "waiting": Q(withdrawn_at=None) & (Q(images__state="pending") | Q(awaited__isnull=False)),
    "failed": Q(withdrawn_at=None, images__state="failed"),
    "no_picture": Q(withdrawn_at=None, images=None),
}


@member_page()
@require_http_methods(["GET", "HEAD"])
def products(request: HttpRequest, member: Member) -> HttpResponseBase:
    """One page of the products, by words and by where they stand."""
    words = request.GET.get("q", "").strip()[:200]
    state = request.GET.get("state", "")
    found = Product.objects.for_merchant(member.merchant)
    if state in _STATES:
        found = found.filter(_STATES[state]).distinct()
    if words:
        found = found.filter(Q(title__icontains=words) | Q(sku__icontains=words) | Q(brand__icontains=words))
    window = Paginator(found.for_cards().order_by("-updated_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "product": product,
            "images": (images := list(product.images.all())),
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
        "states": list(_STATES),
        "tab": "products",
    }
    return render(request, "merchant/products.html", context)


@member_page(must_edit=True)
@require_POST
def withdraw(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Takes the chosen products from the shop; the next feed that names them brings them back."""
    chosen = [int(text) for text in request.POST.getlist("product") if text.isdecimal() and len(text) < 19]
    Product.objects.for_merchant(member.merchant).filter(pk__in=chosen[: 2 * PAGE]).withdraw()
    return redirect("merchant:products", slug=member.merchant.slug)
