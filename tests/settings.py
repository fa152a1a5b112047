"""The product's own settings with a home that lasts one test run.

TESTS_ON=postgresql   runs the tests on a PostgreSQL server of the run's own instead of SQLite in memory
"""

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="shop-search-test-")
os.environ["SHOP_SEARCH_HOME"] = _home
for _name in ("QDRANT_URL", "SHOP_SEARCH_DATABASE_URL", "SHOP_SEARCH_REDIS_URL"):
    os.environ.pop(_name, None)
os.environ["SHOP_SEARCH_NIGHTLY"] = "off"  # or a worker of a test at night does more than it expects
atexit.register(shutil.rmtree, _home, ignore_errors=True)

from shop_search.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["*"]
SEARCH_RECORDS_LATER = False  # a test looks at once for what was recorded
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir()  # noqa: F405 - WhiteNoise warns where it is missing

if os.environ.get("TESTS_ON") == "postgresql":
    from shop_search.database import postgresql
    from tests.services.postgres import Postgres

    _postgres = Postgres()
    atexit.register(_postgres.stop)
    DATABASES["default"] = postgresql(_postgres.url(), statement_timeout_s=60)  # noqa: F405
