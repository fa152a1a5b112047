"""Notes which products each search showed. The only place that writes impressions."""

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.insight_models import Impression

log = logging.getLogger(__name__)


def note_impressions(search: UUID, shown: Iterable[tuple[int, int]]) -> None:
    """Notes that the recorded search showed these (product id, rank); a product counts once, at its best rank."""
    ranks: dict[int, int] = {}
    for product, rank in shown:
        ranks[product] = min(rank, ranks.get(product, rank))
    if not ranks:
        return
    now = timezone.now()
    rows = [
        Impression(search_id=search, product_id=product, rank=min(rank, 32767), shown_at=now)
        for product, rank in ranks.items()
    ]
    try:
        with transaction.atomic():
            Impression.objects.bulk_create(rows)
    except IntegrityError as error:  # a product was deleted while it was searched: no reason to fail the search
        log.warning("Impressions of search %s are not kept: %s", search, error)
