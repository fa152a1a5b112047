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
        _("Nothing here matches that"),
        _("Take a wish or a filter away, or look through everything."),
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
    "question": (_("That can't be searched for"), _("Try other words, or fewer filters.")),
    "not_picture": (_("That is not a photo"), _("Choose, drop or paste a picture: JPEG, PNG, WebP, HEIC or AVIF.")),
    "too_large": (_("That photo is too large"), _("Choose one of at most {limit} MB.")),
    "search_unknown": (
        _("This link leads nowhere"),
        _("The search is unknown or no longer kept. Start a new one with a photo."),
    ),
}

# What a search can be narrowed by; prices and stock are asked in their own ways.
FACETS: dict[str, Sentence] = {
    "article_type": _("Type"),
    "color": _("Color"),
    "pattern": _("Pattern"),
    "brand": _("Brand"),
    "gender": _("For"),
    "merchant": _("Shop"),
}

GENDERS: dict[str, Sentence] = {
    "men": _("Men"),
    "women": _("Women"),
    "boys": _("Boys"),
    "girls": _("Girls"),
    "kids": _("Children"),
    "unisex": _("Everyone"),
}

PATTERNS: dict[str, Sentence] = {
    "plain": _("Plain"),
    "striped": _("Striped"),
    "checked": _("Checked"),
    "printed": _("Printed"),
}

# What the index's values are called; those of brands and shops are names.
VALUES: dict[str, dict[str, Sentence]] = {"gender": GENDERS, "pattern": PATTERNS}

# Headings of the results, by how close they are.
GROUPS: dict[str, Sentence] = {
    "same_photo": _("The same photo"),
    "same_product": _("Looks like the very product"),
    "similar": _("Similar"),
    "nothing_close": _("Further away"),
}

SENTENCES: dict[str, Any] = {
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
    "lookEverywhere": _("Look through everything"),
    "drawBox": _("Draw a box"),
    "showNearest": _("Show the nearest anyway"),
    "inShop": _("{title} in the shop"),
    "sellers": {"one": _("{count} offer"), "other": _("{count} offers")},
    "further": {"one": _("Show {count} more that isn't close"), "other": _("Show {count} more that aren't close")},
    "wordsBeside": _("Like this, but… red, under 50, without heel"),
    "wordsAlone": _("What are you looking for?"),
    "removeWish": _("Without {wish}"),
    "clearAll": _("Clear all"),
    "likeProduct": _("More like {title}"),
    "priceFrom": _("From {low}"),
    "priceTo": _("Up to {high}"),
    "priceBetween": _("{low} to {high}"),
    "inStock": _("In stock"),
    "liked": {"one": _("{count} liked"), "other": _("{count} liked")},
    "disliked": {"one": _("{count} not wanted"), "other": _("{count} not wanted")},
    "values": VALUES,
    "facets": {**FACETS, "category": _("Kind"), "price": _("Price"), "in_stock": _("Availability")},
    "acts": {
        "more": _("More like {title}"),
        "like": _("I like {title}"),
        "dislike": _("Less like {title}"),
    },
    "lessLike": _("Less like that."),
    "wrongNoted": _("Thank you, noted."),
    "copiesTitle": {"one": _("{count} seller uses this picture"), "other": _("{count} sellers use this picture")},
    "compareWith": _("Compare with {title}"),
    "size": _("{width} \u00d7 {height}"),
    "overlayNote": _("Move the edge: left of it is your photo, right of it the picture of {merchant}."),
    "overlayFailed": _("The shop's picture can't be loaded right now."),
    "facts": {
        "size": _("Size"),
        "colors": _("Colors"),
        "credit": _("Credit"),
        "brand": _("Brand"),
        "seller": _("Seller"),
    },
    "likely": _("{name}, by the look of it"),
    "lookTitle": _("Shop the look"),
    "lookItems": {"one": _("{count} item in the photo"), "other": _("{count} items in the photo")},
    "lookAll": _("See all"),
    "lookAllOf": _("See all: {category}"),
    "lookFar": _("Nothing here is close to this one."),
    "lookNone": _("No product matches this."),
    "filters": _("Filters"),
    "filtersOn": {"one": _("Filters, {count} on"), "other": _("Filters, {count} on")},
    "showFound": {"one": _("Show {count} product"), "other": _("Show {count} products")},
    "showAllValues": {"one": _("Show all {count}"), "other": _("Show all {count}")},
    "from": _("from"),
    "to": _("to"),
    "anyKind": _("Everything"),
    "groups": GROUPS,
    "bands": {"same_photo": _("Same photo"), "same_product": _("Same product")},
}


def for_scripts() -> dict[str, Any]:
    """Returns every sentence the scripts need; put on the page as JSON."""
    return {**SENTENCES, "reasons": REASONS, "defaultReason": DEFAULT_REASON, "errors": ERRORS}
