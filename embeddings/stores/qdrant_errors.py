"""qdrant-client's errors in our words, and which of them are worth another try."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from shop_search.errors import ServiceError

T = TypeVar("T")

# A restarting server or proxy is back within a second, and a shopper waits no longer than that.
_PAUSES_S: Final = (0.1, 0.3, 0.9)
_TRANSIENT_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
_MISMATCHES: Final = ("vector dimension error", "not existing vector name", "dense vector", "not aligned")


def retried(act: Callable[[], T], *, where: str) -> T:
    """Returns what `act` returns, after at most three more tries.

    Raises ServiceError `vector_store_unavailable`, `collection_missing`, `collection_mismatch`, `vector_store_failed`.
    """
    for pause_s in (*_PAUSES_S, None):
        try:
            return act()
        except (ResponseHandlingException, UnexpectedResponse, ResourceExhaustedResponse, ValueError, OSError) as error:
            failure = _translated(error, where)
            if pause_s is None or not _is_transient(error):
                raise failure from error
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def _is_transient(error: Exception) -> bool:
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _TRANSIENT_STATUSES
    return not isinstance(error, ValueError)


def _translated(error: Exception, where: str) -> ServiceError:
    said = _said(error)
    status = error.status_code if isinstance(error, UnexpectedResponse) else None
    if status in (401, 403):
        return ServiceError(
            "vector_store_unavailable", f"Qdrant at {where} refused the key ({status}); set QDRANT_API_KEY."
        )
    if isinstance(error, UnexpectedResponse | ValueError):
        lowered = said.lower()
        if "already exists" in lowered or any(words in lowered for words in _MISMATCHES):
            return ServiceError("collection_mismatch", f"Qdrant at {where} refused: {said}")
        if "collection" in lowered and ("not found" in lowered or "doesn't exist" in lowered):
            return ServiceError("collection_missing", f"There is no such collection in Qdrant at {where}: {said}")
    if _is_transient(error):
        return ServiceError("vector_store_unavailable", f"Qdrant at {where} can't be reached or is busy: {said}")
    return ServiceError("vector_store_failed", f"Qdrant at {where} failed: {said}")


def _said(error: Exception) -> str:
    """Returns the server's or the connection's own words."""
    if isinstance(error, ResponseHandlingException):
        return str(error.source)
    if isinstance(error, UnexpectedResponse):
        try:
            return str(error.structured()["status"]["error"])
        except (ValueError, LookupError, TypeError):
            pass  # a proxy's page, not the server's JSON
    return str(error)
