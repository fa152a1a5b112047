"""The product's own settings with a home that lasts one test run."""

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="shop-search-test-")
os.environ["SHOP_SEARCH_HOME"] = _home
os.environ.pop("QDRANT_URL", None)
os.environ.pop("SHOP_SEARCH_REDIS_URL", None)
os.environ["SHOP_SEARCH_NIGHTLY"] = "off"  # or a worker of a test at night does more than it expects
atexit.register(shutil.rmtree, _home, ignore_errors=True)

from shop_search.settings import *  # noqa: E402, F403

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir()  # noqa: F405 - WhiteNoise warns where it is missing
