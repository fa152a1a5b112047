"""Redis as the cache that all machines share; when it is down, our own error says so."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.redis import RedisCache
from django.core.exceptions import ImproperlyConfigured

from shop_search.errors import ServiceError

try:
    from redis.exceptions import RedisError
except ImportError as missing:
    raise ImproperlyConfigured(
        "SHOP_SEARCH_REDIS_URL names a Redis server, and its client isn't installed: "
        'pip install "redis>=5" (the extra `fleet` of pyproject.toml).'
    ) from missing

_ASKING = (
    "add", "get", "set", "touch", "delete", "get_many", "has_key", "incr", "set_many", "delete_many", "clear",
)  # fmt: skip


class FleetCache(RedisCache):
    """Raises ServiceError `cache_unavailable` where Redis doesn't answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        for name in _ASKING:
            setattr(self, name, _saying(getattr(self, name)))


def _saying(ask: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(ask)
    def asked(*args: Any, **kwargs: Any) -> Any:
        try:
            return ask(*args, **kwargs)
        except RedisError as error:
            raise ServiceError("cache_unavailable", f"Redis doesn't answer: {error}.") from error

    return asked
