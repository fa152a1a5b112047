"""Notes which products each search showed. The only place that writes impressions."""

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import Impression, Product

log = logging.getLogger(__name__)


def note_impressions(search: UUID, shown: Iterable[tuple[Product, int]], *, is_simulated: bool = False) -> None:
    """Notes that the recorded search showed these products at these ranks; a product counts once, at its best rank."""
    ranks: dict[int, int] = {}
    sellers: dict[int, int] = {}
    for product, rank in shown:
        ranks[product.pk] = min(rank, ranks.get(product.pk, rank))
        sellers[product.pk] = product.merchant_id
    if not ranks:
        return
    today = timezone.localdate()
    known = {"search_id": search, "day": today, "is_simulated": is_simulated}
    rows = [
        Impression(product_id=pk, merchant_id=sellers[pk], rank=min(rank, 32767), **known) for pk, rank in ranks.items()
    ]
    try:
        with transaction.atomic():
            Impression.objects.bulk_create(rows)
    except IntegrityError as error:  # a product was deleted while it was searched: no reason to fail the search
        log.warning("Impressions of search %s are not kept: %s", search, error)
