"""What shoppers say of results."""

from uuid import UUID

from catalog.models import Feedback, Product, SearchRecord
from catalog.search.recording import settle
from catalog.versions.visitors import note_click
from shop_search.errors import InputError


def give_feedback(search_id: UUID, *, product: int, verdict: str) -> Feedback:
    """Records a verdict on one result. Raises InputError when the search or the product is unknown."""
    settle(search_id)
    is_simulated = SearchRecord.objects.filter(pk=search_id).values_list("is_simulated", flat=True).first()
    if is_simulated is None:
        raise InputError("search_unknown", "There is no such search, or it is no longer kept.")
    if not Product.objects.shown().filter(pk=product).exists():
        raise InputError("product_unknown", f"There is no product {product}.")
    said = Feedback.objects.create(search_id=search_id, product_id=product, verdict=verdict, is_simulated=is_simulated)
    note_click(said)
    return said
