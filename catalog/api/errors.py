"""The one table from errors to HTTP statuses. Every error body is {"code", "message", "fields"}."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from catalog.uploads.quotas import QuotaError
from shop_search.errors import InputError, ServiceError, ShopSearchError

logger = logging.getLogger(__name__)

# InputErrors are 400 unless named here.
STATUS = {
    "search_unknown": 404,
    "product_unknown": 404,
    "product_not_indexed": 404,
    "upload_unknown": 404,
    "webhook_unknown": 404,
    "delivery_unknown": 404,
    "uploads_too_many": 429,
    "quota_uploads": 429,
    "quota_bytes": 429,
    "quota_products": 403,
    "quota_pictures": 403,
    "image_too_large": 413,
    "upload_too_large": 413,
    "image_unreadable": 415,
    "image_truncated": 422,
    "image_too_small": 422,
    "image_empty": 422,
    "image_url_forbidden": 422,
    "image_url_unreachable": 422,
    "image_url_timeout": 422,
    "image_url_not_an_image": 415,
}
# DRF's own errors: its code -> ours, where ours says more.
CODES = {"not_found": "not_found", "parse_error": "body_unreadable", "unsupported_media_type": "body_type_unsupported"}


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """Returns the response for an exception raised in an API view; nothing leaves as an HTML page or a traceback."""
    if isinstance(error, ShopSearchError):
        if isinstance(error, ServiceError):
            logger.error("%s: %s", error.code, error.message, exc_info=error)
        response = _response(status_of(error), error.code, error.message, error.fields)
        if isinstance(error, QuotaError):
            response["RateLimit-Limit"], response["RateLimit-Remaining"] = str(error.limit), "0"
            response["RateLimit-Reset"] = response["Retry-After"] = str(error.reset_s)
        return response
    if isinstance(error, exceptions.ValidationError):
        fields = _sentences(error.detail)
        return _response(400, "question_invalid", "Some fields can't be used: see `fields`.", fields)
    if isinstance(error, exceptions.APIException):
        code = CODES.get(error.default_code, error.default_code)
        response = _response(error.status_code, code, str(error.detail), {})
        wait: float | None = getattr(error, "wait", None)  # Throttled carries it
        if wait is not None:
            response["Retry-After"] = str(round(wait))
        challenge: str | None = getattr(error, "auth_header", None)  # DRF's views put it on 401s
        if challenge:
            response["WWW-Authenticate"] = challenge
        return response
    if isinstance(error, Http404):
        return _response(404, "not_found", "There is nothing at this address.", {})
    if isinstance(error, PermissionDenied):
        return _response(403, "permission_denied", "You may not do this.", {})
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("database_unavailable: %s", error)
        return _response(503, "database_unavailable", "The database doesn't answer. Try again in a moment.", {})
    logger.exception("An API view failed", exc_info=error)
    return _response(500, "internal_error", "Something went wrong on our side. It has been logged.", {})


def status_of(error: ShopSearchError) -> int:
    """Returns the HTTP status for one of our own errors."""
    if isinstance(error, InputError):
        return STATUS.get(error.code, 400)
    return 503


def not_found(request: HttpRequest) -> JsonResponse:
    """Answers API addresses that don't exist."""
    return JsonResponse(_body("not_found", "There is nothing at this address.", {}), status=404)


def _response(status: int, code: str, message: str, fields: dict[str, str]) -> Response:
    return Response(_body(code, message, fields), status=status)


def _body(code: str, message: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"code": code, "message": message, "fields": fields}


def _sentences(detail: Any) -> dict[str, str]:
    """Flattens DRF's lists of messages to one sentence a field."""
    if not isinstance(detail, dict):
        detail = {"": detail}
    return {
        name: " ".join(str(part) for part in (messages if isinstance(messages, list) else [messages]))
        for name, messages in detail.items()
    }
