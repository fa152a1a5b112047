"""Whether searches can be answered, and which part fails if not."""

from dataclasses import asdict, dataclass
from typing import Any

from django.db import DatabaseError

from catalog.indexing.points import searched_collection
from catalog.models import Product, ProductImage
from detection import detector
from embeddings import encoder
from shop_search.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Health:
    """`database` and `vector_store` say "ok" or an error's code; the models say their label or an error's code."""

    status: str  # "ok" | "degraded"
    database: str
    vector_store: str
    detector: str
    encoder: str
    products: int | None
    images_indexed: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def health() -> Health:
    """Returns how each part is; never raises for a part that is down."""
    healthy = True
    try:
        database, products = "ok", Product.objects.shown().count()
        indexed = ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED).count()
    except DatabaseError as error:
        healthy, database, products, indexed = False, _code(error), None, None
    try:
        searched_collection()
        store = "ok"
    except (ServiceError, DatabaseError) as error:
        healthy, store = False, _code(error)
    labels: dict[str, str] = {}
    for name, model in (("detector", detector), ("encoder", encoder)):
        try:
            labels[name] = model().card.label
        except (ServiceError, DatabaseError) as error:  # which version is in force is a row
            healthy, labels[name] = False, _code(error)
    return Health("ok" if healthy else "degraded", database, store, products=products, images_indexed=indexed, **labels)


def _code(error: ServiceError | DatabaseError) -> str:
    return error.code if isinstance(error, ServiceError) else "database_unavailable"
