"""How much of an allowance is used: requests counted in windows that begin with the clock, in the cache that all share.

`settings.API_RATES` names the allowances: so many requests in so many seconds. While the cache is down nothing is
counted: an allowance protects the shop, and must not be what closes it.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from shop_search.errors import ServiceError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of its allowance somebody has left."""

    limit: int
    remaining: int
    reset_s: int
    is_exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        """The standard headers, which every counted answer carries (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


def count_request(scope: str, who: str) -> Rate:
    """Counts one request of somebody and returns what is left of the allowance."""
    limit, window_s = settings.API_RATES[scope]
    now = time.time()
    window = int(now // window_s)
    name = f"rate:{scope}:{who}:{window}"
    count = _counted(name, 2 * window_s)
    reset_s = max(1, round((window + 1) * window_s - now))
    return Rate(limit, max(0, limit - count), reset_s, is_exceeded=count > limit)


def _counted(name: str, kept_s: int) -> int:
    try:
        cache.add(name, 0, timeout=kept_s)
        return cache.incr(name)
    except ValueError:  # it fell out of the cache between the two calls
        return 1
    except ServiceError as error:
        log.warning("%s: %s Nothing is counted meanwhile.", error.code, error.message)
        return 0
