"""What becomes of a shopper's photo, said on every page as the settings have it."""

from django import template
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.search import agreement
from catalog.serving import serving

register = template.Library()


@register.simple_tag
def trial_promise() -> str:
    """Returns the sentence on the cookie that a live A/B sets, "" while none runs."""
    if serving().trial is None:
        return ""
    return _(
        "Two ways to search are being compared here: with a search comes a cookie that holds a random number, "
        "so that you always get the same one. It tells nobody who you are and follows you nowhere."
    )


@register.simple_tag
def has_agreed() -> bool:
    """Returns whether this shopper lets shops know what she looks for in vain."""
    return agreement.has_agreed()


@register.simple_tag
def photo_promise() -> str:
    """Returns the sentence: photos are never kept; small pictures of what was searched with, for as long as is set."""
    days: int = settings.SEARCH_CROP_RETENTION_DAYS
    if days <= 0:
        return _("Your photo is looked at once and never kept.")
    kept = ngettext(
        "Your photo is never kept; a small picture of the part you searched with is, for %(days)d day.",
        "Your photo is never kept; a small picture of the part you searched with is, for %(days)d days.",
        days,
    )
    return kept % {"days": days}
