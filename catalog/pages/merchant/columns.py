"""Which of a feed's columns is which of ours: asked with the first rows beside each, where the names are its own."""

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from catalog.feeds.columns import COLUMNS, REQUIRED
from catalog.models import Member, Upload
from catalog.pages.merchant.access import member_page
from catalog.uploads.accept import upload_of
from catalog.uploads.asking import name_columns
from shop_search.errors import InputError

_WORDS = {
    "id": _("SKU (id)"),
    "title": _("Title"),
    "description": _("Description"),
    "link": _("Page in your shop"),
    "image_link": _("Picture"),
    "additional_image_link": _("More pictures"),
    "price": _("Price"),
    "sale_price": _("Sale price"),
    "currency": _("Currency"),
    "availability": _("Stock"),
    "brand": _("Brand"),
    "color": _("Color"),
    "gender": _("Gender"),
    "product_type": _("Category"),
    "google_product_category": _("Google's category"),
    "gtin": _("GTIN (EAN)"),
    "item_group_id": _("Group of variants"),
}


@dataclass(frozen=True, slots=True)
class FeedColumn:
    """A column of the feed, what stands in its first rows, and what it is taken for."""

    place: int
    name: str
    examples: tuple[str, ...]
    ours: str


def columns_page(
    request: HttpRequest, member: Member, upload: Upload, *, said: dict[str, str] | None = None, problem: str = ""
) -> HttpResponseBase:
    """Returns the question; with `said`, as it was answered before the `problem`."""
    seen = upload.columns["glance"]
    taken = said if said is not None else {**seen["used"], **seen["proposed"]}
    ours_of = {theirs: ours for ours, theirs in taken.items()}
    found = [
        FeedColumn(
            place, name, tuple(row[place] for row in seen["rows"] if place < len(row) and row[place])[:3],
            ours_of.get(name, ""),
        )
        for place, name in enumerate(seen["header"])
        if name
    ]  # fmt: skip
    context = {
        "member": member,
        "upload": upload,
        "columns": found,
        "choices": [(ours, _WORDS[ours], ours in REQUIRED) for ours in COLUMNS],
        "problem": problem,
        "tab": "uploads",
    }
    return render(request, "merchant/columns.html", context, status=400 if problem else 200)


@member_page(must_edit=True)
@require_POST
def columns(request: HttpRequest, member: Member, upload_id: UUID) -> HttpResponseBase:
    """Takes the answer; the upload goes on."""
    try:
        upload = upload_of(member.merchant, upload_id)
    except InputError as error:
        raise Http404(error.message) from error
    if upload.status != Upload.Status.ASKING:
        return redirect("merchant:upload", slug=member.merchant.slug, upload_id=upload_id)
    said: dict[str, str] = {}
    for place, name in enumerate(upload.columns["glance"]["header"]):
        ours = request.POST.get(f"column-{place}", "")
        if ours in said:
            problem = _("Two columns can't both be: %s.") % _WORDS[ours]
            return columns_page(request, member, upload, said=said, problem=problem)
        if ours in COLUMNS and name:
            said[ours] = name
    try:
        name_columns(member.merchant, upload_id, said)
    except InputError as error:
        return columns_page(request, member, upload, said=said, problem=error.message)
    return redirect("merchant:upload", slug=member.merchant.slug, upload_id=upload_id)
