"""The sentences that scripts say, and those that templates choose by a code. All of them can be translated."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise

# Why nothing is close, by the answer's `reason`: a headline and what to do about it.
REASONS: dict[str, tuple[Sentence, Sentence]] = {
    "no_similar_product": (
        _("Nothing here is close to that"),
        _("We would rather say so than guess. Try another category, or see what comes nearest."),
    ),
    "nothing_detected": (
        _("We couldn't make out a product"),
        _("Draw a box around the thing you mean, or try a photo that shows more of it."),
    ),
    "too_dark": (
        _("The photo is very dark"),
        _("Details are lost in it. Try again with more light."),
    ),
    "too_small": (
        _("That part of the photo is very small"),
        _("Draw a larger box, or step closer and take the photo again."),
    ),
    "blurred": (
        _("The photo is blurred"),
        _("Hold still for a moment and take it again."),
    ),
    "category_not_sold": (
        _("This shop doesn't sell that kind of thing"),
        _("Try another product in the photo, or look through everything."),
    ),
    "nothing_matches_filters": (
        _("Nothing to show here yet"),
        _("No product matches this choice. Try another category, or everything."),
    ),
}
DEFAULT_REASON = REASONS["no_similar_product"]

# What went wrong before or beside the server's own message.
ERRORS: dict[str, tuple[Sentence, Sentence]] = {
    "offline": (_("You are offline"), _("Your photo is still here. Try again when the connection is back.")),
    "network": (_("The shop can't be reached"), _("Your photo is still here. Try again in a moment.")),
    "timeout": (_("This is taking too long"), _("The shop didn't answer in time. Try again in a moment.")),
    "server": (_("Something went wrong on our side"), _("Your photo is still here. Try again in a moment.")),
    "photo": (_("That photo can't be used"), _("Try another photo.")),
    "not_picture": (_("That is not a photo"), _("Choose, drop or paste a picture: JPEG, PNG, WebP, HEIC or AVIF.")),
    "too_large": (_("That photo is too large"), _("Choose one of at most {limit} MB.")),
    "search_unknown": (
        _("This link leads nowhere"),
        _("The search is unknown or no longer kept. Start a new one with a photo."),
    ),
}

TEXTS: dict[str, Sentence | dict[str, Sentence]] = {
    "searching": _("Looking…"),
    "dropped": _("Searching with your photo"),
    "slow": _("Still looking. Large photos and slow lines take a moment."),
    "titles": {
        "same_photo": _("This looks like it"),
        "same_product": _("This looks like it"),
        "similar": _("Closest matches"),
    },
    "everything": _("Everything"),
    "other": _("Other…"),
    "otherCategory": _("Another category"),
    "region": _("{number}: {category}"),
    "regionTip": _("{category}, {percent} sure"),
    "sure": _("{percent} sure"),
    "widened": _("There is little in {category}, so these come from the whole shop."),
    "results": {"one": _("{count} product"), "other": _("{count} products")},
    "nearestFirst": _("nearest first"),
    "resultsIn": _("{results} in {category}"),
    "none": _("No products"),
    "allShown": _("That is all"),
    "photoAlt": _("Your photo"),
    "share": _("Copy link"),
    "copied": _("Link copied"),
    "tryAgain": _("Try again"),
    "choosePhoto": _("Choose another photo"),
    "showNearest": _("Show the nearest anyway"),
    "inShop": _("{title} in the shop"),
    "bands": {"same_photo": _("Same photo"), "same_product": _("Same product")},
}


def for_scripts() -> dict[str, Any]:
    """Returns every sentence the scripts need; put on the page as JSON."""
    return {**TEXTS, "reasons": REASONS, "defaultReason": DEFAULT_REASON, "errors": ERRORS}
