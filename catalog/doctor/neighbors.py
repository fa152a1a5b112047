"""What lies nearest to a product in the index, so that its merchant sees beside what it is shown."""

from dataclasses import dataclass
from typing import cast

from catalog.indexing.points import VECTOR, searched_collection
from catalog.models import Product, ProductImage
from embeddings import vector_store
from embeddings.types import Where


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A product on sale, and how alike its nearest picture is: a cosine."""

    product: Product
    score: float
    is_anothers: bool  # another merchant's


def neighbors_of(product: Product, limit: int) -> list[Neighbor]:
    """Returns the products nearest to the main picture of one, the nearest first; none while it has no point.

    The index is asked with the vector that it holds: nothing is embedded. Raises ServiceError when the store is down.
    """
    own = list(ProductImage.objects.filter(product=product).order_by("position"))
    main = next((image for image in own if image.state == ProductImage.State.INDEXED), None)
    collection = searched_collection()
    if main is None or collection is None:
        return []
    store = vector_store()
    vector = store.retrieve(collection, [main.pk], using=VECTOR).get(main.pk)
    if vector is None:
        return []
    where = Where(exclude=tuple(image.pk for image in own))
    scores: dict[int, float] = {}
    for hit in store.query(collection, vector, using=VECTOR, limit=limit * 4, where=where):
        scores.setdefault(cast("int", hit.payload.get("product")), hit.score)
    found = Product.objects.shown().for_cards().in_bulk(list(scores))
    nearest = [
        Neighbor(found[pk], score, found[pk].merchant_id != product.merchant_id)
        for pk, score in scores.items()
        if pk in found and pk != product.pk
    ]
    return nearest[:limit]
