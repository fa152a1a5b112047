"""Blocking pages: what is blocked, what goes with a photo, and letting it in again."""

from typing import cast

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.curation.moderation import block_photo, block_product, copies_of, unblock_photo, unblock_product
from catalog.models import BlockedPhoto, Product, ProductImage
from catalog.pages.cards import thumb
from catalog.pages.console.access import OPERATE, console
from catalog.pages.media import TYPES
from shop_search.errors import InputError


@console(OPERATE)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Everything that is blocked now."""
    products = Product.objects.filter(blocked_at__isnull=False).for_cards().order_by("-blocked_at")
    photos = BlockedPhoto.objects.active().select_related("by").annotate(pictures=Count("taken"))
    context = {"products": products, "photos": photos, "here": "curation"}
    return render(request, "console/blocked.html", context)


@console(OPERATE)
@require_POST
def product(request: HttpRequest, product_id: int) -> HttpResponseBase:
    """Blocks a product, or lets it in again (`unblock`)."""
    found = get_object_or_404(Product.objects.select_related("merchant"), pk=product_id)
    try:
        if "unblock" in request.POST:
            unblock_product(found, by=_user(request), why=request.POST.get("why", ""))
        else:
            block_product(found, by=_user(request), why=request.POST.get("why", ""))
    except InputError as error:
        return render(request, "console/trouble.html", {"error": error, "here": "products"}, status=400)
    return redirect("console:product", product_id)


@console(OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def photo(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """What would go with a picture (GET); blocks it with its copies (POST)."""
    image = get_object_or_404(ProductImage.objects.select_related("product__merchant"), pk=image_id)
    trouble = ""
    if request.method == "POST":
        try:
            block_photo(image, by=_user(request), why=request.POST.get("why", ""))
            return redirect("console:blocked")
        except InputError as error:
            trouble = error.message
    copies = [(one, thumb(one.file.url)) for one in copies_of(image)]
    merchants = {one.product.merchant_id for one, _ in copies}
    context = {
        "image": image,
        "picture": thumb(image.file.url),
        "copies": copies,
        "merchants": len(merchants),
        "trouble": trouble,
        "here": "curation",
    }
    return render(request, "console/block_photo.html", context, status=400 if trouble else 200)


@console(OPERATE)
@require_POST
def let_in(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """Lets a photo in again."""
    unblock_photo(get_object_or_404(BlockedPhoto, pk=photo_id), by=_user(request), why=request.POST.get("why", ""))
    return redirect("console:blocked")


@console(OPERATE)
@require_safe
def picture(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """The blocked photo itself, which nobody else is shown."""
    name = get_object_or_404(BlockedPhoto, pk=photo_id).file
    suffix = "." + name.rsplit(".", 1)[-1].lower()
    if suffix not in TYPES or not default_storage.exists(name):
        raise Http404("The file is gone.")
    response = FileResponse(default_storage.open(name, "rb"), content_type=TYPES[suffix])
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
