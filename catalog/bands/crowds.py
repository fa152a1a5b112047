"""How crowded it is around a catalog picture: the more look-alikes it has, the less a score with it says.

A plain white shirt has fifty look-alikes, and a photo of any of them scores high with all; a photo that scores as high
with a thing that has none shows that very thing. So what is called the same product goes by the score less a part of
how alike the picture is to other products (`catalog.bands.lead`). It is the catalog's half of cross-domain similarity
local scaling, CSLS (Conneau et al., Word Translation Without Parallel Data, ICLR 2018); docs/bands.md measures it.
"""

import numpy as np

from catalog.bands import USUAL_CROWD
from catalog.indexing.points import VECTOR
from embeddings import vector_store
from embeddings.types import Where

# The nearest is left out: it may be the same thing, listed twice. Of one to forty neighbors, these told most.
NEIGHBORS = slice(1, 5)
# From here on it is the same thing, however many sell it under one picture: of 5,166 products of one shop 45 pairs
# share theirs, and 6 more come this close.
SAME_PICTURE = 0.95
# Pictures asked for; a product has several, and its own are among them.
_ASKED = 32


def crowd_of(collection: str, image: int, *, exclude: tuple[int, ...] = ()) -> float:
    """Returns how alike an indexed picture is to the second to fifth nearest other products, the mean, in [-1, 1].

    Listings with the same picture are no others. `exclude` are image ids that are taken for absent. Without two other
    products, or once the picture is gone from the index, it is USUAL_CROWD. Raises ServiceError when the store fails.
    """
    store = vector_store()
    vector = store.retrieve(collection, [image], using=VECTOR).get(image)
    if vector is None:
        return USUAL_CROWD
    hits = store.query(collection, vector, using=VECTOR, limit=_ASKED, where=Where(exclude=exclude))
    own = next((hit.payload["product"] for hit in hits if hit.id == image), None)
    best: dict[object, float] = {}
    for hit in hits:  # by falling score
        if hit.payload["product"] != own and hit.score < SAME_PICTURE:
            best.setdefault(hit.payload["product"], hit.score)
    near = list(best.values())[NEIGHBORS]
    return float(np.mean(near)) if near else USUAL_CROWD
