"""Corrections in place: of the crop on a review sheet, and of a product's picture, category and attributes."""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.curation.corrections import apply, choices_of, correct_picture, correct_search, said_of
from catalog.models import Category, Correction, Product, ProductImage, SearchRecord, TakenPicture
from catalog.pages.cards import price_text, thumb
from catalog.pages.console.access import OPERATE, REVIEW, console, may
from shop_search.errors import InputError

FOUND = 40
PAST = 20
SIDES = ("x1", "y1", "x2", "y2")
_WORDS = (Correction.Field.COLOR, Correction.Field.GENDER, Correction.Field.PATTERN, Correction.Field.ARTICLE_TYPE)


@dataclass(frozen=True, slots=True)
class Editor:
    """A box editor: a picture and a box in per cent of its sides."""

    src: str
    alt: str
    box: tuple[float, float, float, float]

    @property
    def sides(self) -> list[dict[str, Any]]:
        labels = (_("left"), _("top"), _("right"), _("bottom"))
        values = zip(SIDES, labels, self.box, strict=True)
        return [{"name": name, "label": label, "value": f"{value:.1f}"} for name, label, value in values]


@console(REVIEW, OPERATE)
@require_safe
def products(request: HttpRequest) -> HttpResponseBase:
    """Finds a product, on sale or not."""
    q = request.GET.get("q", "").strip()[:200]
    found = Product.objects.filter(Q(title__icontains=q) | Q(brand__icontains=q) | Q(sku__iexact=q)) if q else None
    rows = list(found.for_cards().order_by("-pk")[:FOUND]) if found is not None else []
    context = {"q": q, "rows": [(row, _picture(row)) for row in rows], "here": "products"}
    return render(request, "console/products.html", context)


@console(REVIEW, OPERATE)
@require_safe
def product(request: HttpRequest, product_id: int) -> HttpResponseBase:
    """One product as the console sees it: how it was cropped, what is said of it, and what people put right."""
    return render(request, "console/product.html", _product_context(request, product_id))


@console(REVIEW)
@require_POST
def correct_image(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """Keeps a corrected box of a product's picture."""
    image = get_object_or_404(ProductImage.objects.select_related("product__category"), pk=image_id)
    try:
        correct_picture(image, field=Correction.Field.BOX, after=_box(request.POST), by=_user(request))
    except InputError as error:
        return render(request, "console/trouble.html", {"error": error, "here": "products"}, status=400)
    return redirect(f"{reverse('console:product', args=[image.product_id])}#corrections")


@console(REVIEW, OPERATE)
@require_POST
def correct_product(request: HttpRequest, product_id: int) -> HttpResponseBase:
    """Keeps corrected words of a product; `apply` makes them its own, for those who may operate."""
    found = get_object_or_404(Product.objects.select_related("category", "merchant"), pk=product_id)
    image = found.images.first()
    wants_apply = "apply" in request.POST
    if wants_apply and not may(_user(request), OPERATE):
        return render(request, "console/denied.html", status=403)
    try:
        if image is None:
            raise InputError("correction_invalid", "This product has no picture to look at.")
        image.product = found
        for field in (Correction.Field.CATEGORY, *_WORDS):
            value = request.POST.get(field, "")
            if not value:
                continue
            made = correct_picture(image, field=field, after=value, by=_user(request))
            if made is not None and wants_apply:
                apply(made, by=_user(request), why=request.POST.get("why", ""))
    except InputError as error:
        return render(request, "console/trouble.html", {"error": error, "here": "products"}, status=400)
    return redirect(f"{reverse('console:product', args=[product_id])}#corrections")


@console(OPERATE)
@require_POST
def apply_one(request: HttpRequest, correction_id: int) -> HttpResponseBase:
    """Makes a correction the product's own."""
    correction = get_object_or_404(Correction, pk=correction_id)
    try:
        apply(correction, by=_user(request), why=request.POST.get("why", ""))
    except InputError as error:
        return render(request, "console/trouble.html", {"error": error, "here": "products"}, status=400)
    return redirect(f"{reverse('console:product', args=[correction.product_id])}#corrections")


@console(REVIEW)
@require_POST
def correct_crop(request: HttpRequest, search_id: UUID) -> HttpResponseBase:
    """Keeps a corrected box or category of what a shopper searched with; leads back to the sheet."""
    record = get_object_or_404(SearchRecord, pk=search_id)
    try:
        correct_search(record, field=Correction.Field.BOX, after=_box(request.POST), by=_user(request))
        if category := request.POST.get("category", ""):
            correct_search(record, field=Correction.Field.CATEGORY, after=category, by=_user(request))
    except InputError as error:
        return render(request, "console/trouble.html", {"error": error, "here": "review"}, status=400)
    return redirect("console:search", search_id)


def fix_of(record: SearchRecord) -> dict[str, Any] | None:
    """Returns what the review sheet's corner for corrections shows; None without a crop."""
    if not record.crop:
        return None
    said = list(record.corrections.order_by("pk"))
    boxes = [one.after for one in said if one.field == Correction.Field.BOX]
    named = [one.after for one in said if one.field == Correction.Field.CATEGORY]
    box = boxes[-1] if boxes else (0.0, 0.0, 1.0, 1.0)
    src = reverse("console:crop", args=[record.pk])
    return {
        "editor": Editor(src, _("What was searched with"), _percent(box)),
        "category": named[-1] if named else record.category,
        "categories": list(Category.objects.values_list("slug", "name")),
        "count": len(said),
        "is_open": False,
    }


def _product_context(request: HttpRequest, product_id: int) -> dict[str, Any]:
    found = get_object_or_404(Product.objects.for_cards(), pk=product_id)
    images: list[dict[str, Any]] = []
    for image in found.images.all():
        image.product = found
        box = said_of(image, Correction.Field.BOX) or (0.0, 0.0, 1.0, 1.0)
        corrected = image.corrections.filter(field=Correction.Field.BOX, sha256=image.sha256).first()
        shown = box if corrected is None else corrected.after
        editor = Editor(thumb(image.file.url), _("Picture %(n)d") % {"n": image.position + 1}, _percent(shown))
        images.append({"image": image, "editor": editor, "is_corrected": corrected is not None})
    main: ProductImage | None = images[0]["image"] if images else None
    fields = []
    for field in _WORDS:
        now = said_of(main, field) if main is not None else None
        choices = choices_of(field)
        fields.append({"name": field, "label": field.label, "now": now, "choices": choices})
    corrections = list(found.corrections.select_related("by", "image")[:PAST])
    return {
        "product": found,
        "price": price_text(found.price, found.currency),
        "images": images,
        "fields": fields,
        "categories": list(Category.objects.values_list("slug", "name")),
        "corrections": corrections,
        "taken": TakenPicture.objects.filter(product=found).select_related("photo"),
        "may_operate": may(_user(request), OPERATE),
        "may_review": may(_user(request), REVIEW),
        "here": "products",
    }


def _box(form: QueryDict) -> list[float]:
    """Returns the box in shares of the picture's sides. Raises InputError `correction_invalid`."""
    try:
        return [float(form.get(name, "")) / 100 for name in SIDES]
    except ValueError as error:
        message = "A box has four sides, each a number from 0 to 100."
        raise InputError("correction_invalid", message, fields={"box": message}) from error


def _percent(box: Any) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (100 * float(side) for side in box)
    return x1, y1, x2, y2


def _picture(found: Product) -> str | None:
    image = next(iter(found.images.all()), None)
    return thumb(image.file.url) if image else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
