"""The product's own settings and store, in a home of the test's own, with small fake models.

The models are fakes because what is tested here is who is killed when; the store and the database are the real ones.
"""

import os

from shop_search.settings import *  # noqa: F403

DETECTOR = {"BACKEND": "tests.fakes.FakeDetector", "OPTIONS": {}}
ENCODER = {
    "BACKEND": "tests.fakes.FakeEncoder",
    "OPTIONS": {"version": "1", "delay_s": float(os.environ.get("FAKE_ENCODER_DELAY_S", "0"))},
}
if "CRASH_DATABASE_TIMEOUT_S" in os.environ:
    DATABASES["default"]["OPTIONS"]["timeout"] = float(os.environ["CRASH_DATABASE_TIMEOUT_S"])  # noqa: F405
# Who is killed asks again more often than any merchant may.
API_RATES = {name: (1_000_000, window) for name, (_, window) in API_RATES.items()}  # noqa: F405
