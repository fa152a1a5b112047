"""What every store refuses before it sends anything."""

import numpy as np
from numpy.typing import NDArray

from shop_search.errors import ServiceError


def check_finite(vectors: NDArray[np.float32], name: str) -> None:
    """Raises ServiceError `vector_invalid` for NaN or infinity: one such point would rank anywhere."""
    if not np.isfinite(vectors).all():
        raise ServiceError("vector_invalid", f"Vector {name!r} holds NaN or infinity; the encoder's output is broken.")
