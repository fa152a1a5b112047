"""Who calls the merchant's part of the API, and how often: `Authorization: Api-Key ...`, counted for each key.

Every view for merchants is a MerchantView: it knows its merchant and nothing of the others.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from catalog.api.rates import Rate, count_request
from catalog.models import ApiKey, Merchant

_SCHEME = "Api-Key"
_NOTED_EVERY = timedelta(minutes=1)  # more often would make each request a writer


class KeyAuthentication(BaseAuthentication):
    """`request.auth` is the caller's ApiKey; there is no user."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        scheme, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != _SCHEME.lower():
            return None
        key = ApiKey.objects.find(text.strip())
        if key is None:
            raise AuthenticationFailed("The key is unknown or was revoked.")
        now = timezone.now()
        if key.last_used_at is None or key.last_used_at < now - _NOTED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return _SCHEME


class _KeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document says it."""

    target_class = KeyAuthentication
    name = "merchantKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"{_SCHEME} shop_..."}


class _HasKey(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            raise NotAuthenticated(f"Send your key in a header: Authorization: {_SCHEME} shop_...")
        return True


class KeyRate(BaseThrottle):
    """Holds a key to its allowance."""

    def __init__(self) -> None:
        self._reset_s = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        view.rate = count_request(view.rate_scope_of(request), str(request.auth.pk))
        self._reset_s = view.rate.reset_s
        return not view.rate.is_exceeded

    def wait(self) -> float:
        return float(self._reset_s)


class MerchantView(APIView):
    """A view for a merchant's program."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [_HasKey]
    throttle_classes = [KeyRate]
    rate: Rate | None = None

    @property
    def merchant(self) -> Merchant:
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return key.merchant

    def rate_scope_of(self, request: Request) -> str:
        """Returns the name of the allowance (settings.API_RATES) that this request is counted in."""
        return "read" if request.method in {"GET", "HEAD", "OPTIONS"} else "write"

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        if self.rate is not None:
            for name, value in self.rate.headers.items():
                answer.setdefault(name, value)  # a quota that is used up says so itself
        return answer
