"""What the catalog doctor says: a title and advice for each code, and a sentence with the values of one finding."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.doctor.diagnoses import DIAGNOSES, Severity

Text = str | Promise

SEVERITIES: Mapping[Severity, Text] = {
    Severity.CRITICAL: _("Not found"),
    Severity.WARNING: _("Found less often"),
    Severity.NOTE: _("Could be better"),
}

# Code: title, what is wrong (with the finding's values), what to do about it.
WORDS: Mapping[str, tuple[Text, Text, Text]] = {
    "no_picture": (
        _("No picture"),
        _("The product has no picture, so no photo finds it."),
        _("Add an image_link to your feed, or the file to your zip."),
    ),
    "picture_failed": (
        _("Picture can't be used"),
        _("%(message)s"),
        _("Put a good file in its place and upload the product again."),
    ),
    "wrong_category": (
        _("Another category than you say"),
        _("You say %(declared)s; the picture shows %(seen)s."),
        _("Correct product_type, or use a picture that shows the product itself."),
    ),
    "not_findable": (
        _("Not found by its own second picture"),
        _("Searched with its second picture, the product is %(place)s among others of its category."),
        _("Add pictures from more sides, and check that all of them show this product and the same color of it."),
    ),
    "no_price": (
        _("No price"),
        _("Shoppers who name a price don't see it."),
        _("Add a price with its currency, as in 19.90 EUR."),
    ),
    "too_small": (
        _("Picture too small"),
        _("The product's smaller side has %(pixels)s pixels; under %(least)s, details that tell it apart are lost."),
        _("Upload a larger picture, or one in which the product fills more of it."),
    ),
    "blurred": (
        _("Picture blurred"),
        _("There are hardly any edges: sharpness %(sharpness)s, where %(least)s is the least."),
        _("Use a sharp picture, and no thumbnail that was enlarged."),
    ),
    "collage": (
        _("Several things in one picture"),
        _("%(parts)s things of this category lie apart in the picture; shoppers find only one of them."),
        _("Send each as a picture of its own: the first as image_link, the others as additional_image_link."),
    ),
    "dark": (
        _("Picture dark"),
        _("Nothing in the picture is well lit: its mean brightness is %(brightness)s of 255."),
        _("Use a picture with more light."),
    ),
    "lettering": (
        _("Text over the picture"),
        _("Something like a price sticker, a banner or a watermark is over the picture: %(place)s."),
        _("Use a picture without it: shoppers' photos have none. Prices and offers belong into the feed's columns."),
    ),
    "nothing_found": (
        _("Product not made out"),
        _("Nothing of the category %(declared)s was made out, so the whole picture was taken."),
        _("Use a picture that shows the product whole and by itself."),
    ),
    "same_picture": (
        _("Same picture as another product of yours"),
        _("It is also the picture of %(skus)s."),
        _("Give each product its own picture, or give variants of one item the same item_group_id."),
    ),
    "same_picture_elsewhere": (
        _("Same picture as another shop"),
        _("It is also shown by %(merchants)s."),
        _("A picture of your own sets your offer apart."),
    ),
    "no_brand": (
        _("No brand"),
        _("Shoppers who filter by brand don't see it."),
        _("Add the brand."),
    ),
    "no_color": (
        _("No color"),
        _("Only what is seen in the picture tells its color."),
        _("Add the color."),
    ),
}

PLACES: Mapping[str, Text] = {
    "upper left": _("at the upper left"),
    "upper": _("at the top"),
    "upper right": _("at the upper right"),
    "left": _("at the left"),
    "middle": _("in the middle"),
    "right": _("at the right"),
    "lower left": _("at the lower left"),
    "lower": _("at the bottom"),
    "lower right": _("at the lower right"),
}


def title(code: str) -> str:
    """Returns the code's title."""
    return str(WORDS[code][0]) if code in WORDS else code


def advice(code: str) -> str:
    """Returns what to do about it."""
    return str(WORDS[code][2]) if code in WORDS else ""


def sentence(code: str, detail: Mapping[str, Any]) -> str:
    """Returns what is wrong, with the finding's values."""
    if code not in WORDS:
        return ""
    values = {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in detail.items()}
    if code == "not_findable":
        rank = detail.get("rank")
        values["place"] = _("number %(rank)s") % {"rank": rank} if rank else _("not even among the first 50")
    if code == "lettering" and detail.get("where") in PLACES:
        values["place"] = PLACES[detail["where"]]
    try:
        return str(WORDS[code][1]) % values
    except KeyError:  # kept by a version of ours that knew other values
        return title(code)


def severity(code: str) -> Severity:
    """Returns how bad the code is; a code of a later version of ours is a note."""
    return DIAGNOSES[code].severity if code in DIAGNOSES else Severity.NOTE
