"""Settings. Everything a shop changes comes from the environment; the defaults run on one machine with no service.

SHOP_SEARCH_HOME    one folder for database, media, vectors, sockets and the secret key (default ./var)
SHOP_SEARCH_HOSTS   host names that are served, by comma (default: this machine only)
SHOP_SEARCH_DEBUG   1 shows tracebacks in the browser
SHOP_SEARCH_DETECTOR, SHOP_SEARCH_ENCODER   paths of model cards that replace the bundled models
SHOP_SEARCH_KEEP_CROPS_DAYS how long small pictures of searched crops are kept for review (default 30; 0: never)
SHOP_SEARCH_RECORDS_LATER   off makes answers wait until their search is recorded (catalog/search/recording.py)
SHOP_SEARCH_COUNT_SIMULATED 1 lets insights and ranking count simulated shoppers, for trying things out
SHOP_SEARCH_MAX_UPLOAD_MB   how large a merchant's feed or zip may be (default 1024)
SHOP_SEARCH_REDIS_URL       a Redis server that carries tasks, and what several machines count together
SHOP_SEARCH_BACKUPS         where backups lie (default: backups in the home)
SHOP_SEARCH_NIGHTLY         when the shop measures itself each day, as a time in UTC, or off (default 03:00)
SHOP_SEARCH_DISK_RESERVE_MB how much of the disk stays free; uploads wait below it (default 100)
SHOP_SEARCH_WEBHOOK_HOSTS   host:port, by comma: private addresses that webhooks may reach (default: none)
QDRANT_URL, QDRANT_API_KEY   use a Qdrant server instead of the embedded store
SHOP_SEARCH_DATABASE_URL    a PostgreSQL server instead of SQLite in the home (shop_search/database.py)
SHOP_SEARCH_STATEMENT_TIMEOUT_S  after this time PostgreSQL ends a statement (default 120; 0: never)
"""

import os
import secrets
from pathlib import Path
from typing import Any

from shop_search.database import postgresql, sqlite

BASE_DIR = Path(__file__).resolve().parent.parent
SHOP_SEARCH_HOME = Path(os.environ.get("SHOP_SEARCH_HOME", BASE_DIR / "var")).resolve()
SHOP_SEARCH_HOME.mkdir(parents=True, exist_ok=True)


def _secret_key() -> str:
    """Returns this home's own key, made on first use; the first of two processes at once wins."""
    path = SHOP_SEARCH_HOME / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text() or _replace_empty_key(path)


def _replace_empty_key(path: Path) -> str:
    """Mends the trace of a process that died between making the file and writing the key."""
    path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = os.environ.get("SHOP_SEARCH_SECRET_KEY") or _secret_key()
DEBUG = os.environ.get("SHOP_SEARCH_DEBUG") == "1"
ALLOWED_HOSTS = [host for host in os.environ.get("SHOP_SEARCH_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if host]

INSTALLED_APPS = [
    "unfold",  # before the admin: it brings the templates
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_tasks",
    "django_tasks_db",
    "detection",
    "embeddings",
    "catalog",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "catalog.api.cors.WidgetCors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "catalog.search.agreement.Agreement",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "catalog.pages.security.AdminPolicy",
]
ROOT_URLCONF = "shop_search.urls"
WSGI_APPLICATION = "shop_search.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": sqlite(SHOP_SEARCH_HOME / "shop_search.sqlite3")}
if os.environ.get("SHOP_SEARCH_DATABASE_URL"):
    DATABASES["default"] = postgresql(
        os.environ["SHOP_SEARCH_DATABASE_URL"],
        # Pages take two seconds at most (docs/doctor.md), a batch of an upload under one: what takes longer is stuck.
        statement_timeout_s=int(os.environ.get("SHOP_SEARCH_STATEMENT_TIMEOUT_S", "120")),
    )
# What all processes count together: rates of keys, wrong tries to sign in.
CACHES: dict[str, Any]
if os.environ.get("SHOP_SEARCH_REDIS_URL"):
    CACHES = {
        "default": {
            "BACKEND": "shop_search.fleet_cache.FleetCache",
            "LOCATION": os.environ["SHOP_SEARCH_REDIS_URL"],
            "KEY_PREFIX": "shop_search",
            "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
        }
    }
else:
    CACHES = {
        "default": {"BACKEND": "shop_search.home_cache.HomeCache", "LOCATION": SHOP_SEARCH_HOME / "cache.sqlite3"}
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = SHOP_SEARCH_HOME / "static"
WHITENOISE_USE_FINDERS = True
MEDIA_URL = "media/"
MEDIA_ROOT = SHOP_SEARCH_HOME / "media"
# What one merchant's key may do: so many requests in so many seconds, counted in the cache that all processes share.
# `widget` is what one widget's key may do, `widget_visitor` what one address may do with it: everyone can read the key.
API_RATES = {
    "upload": (120, 3600),
    "write": (1200, 60),
    "read": (1200, 60),
    "widget": (1200, 60),
    "widget_visitor": (60, 60),
}
# Where feeds wait for a worker. Not under MEDIA_ROOT, which is served to everyone.
UPLOADS_ROOT = SHOP_SEARCH_HOME / "uploads"
UPLOADS_MAX_BYTES = int(os.environ.get("SHOP_SEARCH_MAX_UPLOAD_MB", "1024")) * 1024 * 1024
# Webhooks reach public addresses alone; a merchant's program inside the own network is named here, as host:port.
WEBHOOK_PRIVATE_HOSTS = [host for host in os.environ.get("SHOP_SEARCH_WEBHOOK_HOSTS", "").split(",") if host]
# The most that one merchant may have and send, unless Django's admin says otherwise for him (MerchantQuota).
MERCHANT_QUOTAS = {"products": 200_000, "pictures": 1_000_000, "uploads_a_day": 500, "bytes_a_day": 20 << 30}
# What is left free of the disk: uploads wait below it, and the database can still say so.
DISK_RESERVE_BYTES = int(os.environ.get("SHOP_SEARCH_DISK_RESERVE_MB", "100")) * 1024 * 1024
BACKUPS_ROOT = Path(os.environ.get("SHOP_SEARCH_BACKUPS", SHOP_SEARCH_HOME / "backups"))
UPLOADS_KEPT_DAYS = 90  # how long a finished upload and its errors can be looked at
DATA_UPLOAD_MAX_MEMORY_SIZE = 26 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 26 * 1024 * 1024  # a phone photo stays in memory: it is decoded at once and never kept

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Shop Search",
    "SITE_HEADER": "Shop Search",
    "SITE_SUBHEADER": "Plain records",
    "SITE_URL": "/console/",
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {  # the shop's own accent, light to dark
            "50": "#fdf5f1",
            "100": "#fbeae2",
            "200": "#f6d0bf",
            "300": "#efae92",
            "400": "#e5835a",
            "500": "#d65a2c",
            "600": "#b93a12",
            "700": "#98300f",
            "800": "#7a2a12",
            "900": "#642613",
            "950": "#361007",
        }
    },
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "catalog.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {"TITLE": "Shop Search", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

DETECTOR: dict[str, Any] = {
    "BACKEND": "detection.backends.openvino.OpenVINODetector",
    "OPTIONS": {
        "card": os.environ.get("SHOP_SEARCH_DETECTOR", BASE_DIR / "detection" / "weights" / "card.json"),
    },
}
ENCODER: dict[str, Any] = {
    "BACKEND": "embeddings.backends.openvino.OpenVINOEncoder",
    "OPTIONS": {
        "card": os.environ.get("SHOP_SEARCH_ENCODER", BASE_DIR / "embeddings" / "weights" / "card.json"),
    },
}
VECTOR_STORE: dict[str, Any]
if os.environ.get("QDRANT_URL"):
    VECTOR_STORE = {
        "BACKEND": "embeddings.stores.qdrant.QdrantStore",
        "OPTIONS": {"url": os.environ["QDRANT_URL"], "api_key": os.environ.get("QDRANT_API_KEY")},
    }
else:
    VECTOR_STORE = {
        "BACKEND": "embeddings.stores.edge.EdgeStore",
        "OPTIONS": {"path": SHOP_SEARCH_HOME / "vectors"},
    }

# Long work (docs/operations.md) goes through Django's tasks API: as rows of the database, or through a Redis server.
TASKS: dict[str, Any] = {
    "default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["jobs", "uploads"]},
}
if os.environ.get("SHOP_SEARCH_REDIS_URL"):
    TASKS["default"]["BACKEND"] = "django_tasks_rq.RQBackend"
    INSTALLED_APPS.append("django_rq")
    # A job takes as long as it takes (-1); its claim in the database says whether its worker is alive.
    RQ_QUEUES = {
        name: {"URL": os.environ["SHOP_SEARCH_REDIS_URL"], "DEFAULT_TIMEOUT": -1, "DEFAULT_RESULT_TTL": 86400}
        for name in TASKS["default"]["QUEUES"]
    }
# When the nightly jobs are asked for, as a time of day in UTC; None: never.
NIGHTLY = os.environ.get("SHOP_SEARCH_NIGHTLY", "03:00")

# Limits on what a shopper sends. 25 MiB holds any phone photo; see detection/images.py for pixels.
SEARCH_MAX_IMAGE_BYTES = 25 * 1024 * 1024
# Small pictures of the parts that were searched with, for people who review answers (docs/console.md). Photos never are
# kept. Not under MEDIA_ROOT, which is served to everyone.
SEARCH_CROP_RETENTION_DAYS = int(os.environ.get("SHOP_SEARCH_KEEP_CROPS_DAYS", "30"))
SEARCH_CROPS_ROOT = SHOP_SEARCH_HOME / "searched"
# Searches are recorded after they are answered; off where several web processes share one address
# (catalog/search/recording.py).
SEARCH_RECORDS_LATER = (
    os.environ.get("SHOP_SEARCH_RECORDS_LATER", "off" if os.environ.get("SHOP_SEARCH_DATABASE_URL") else "on") != "off"
)
# A shopper waits no longer than this for somebody else's server.
SEARCH_FETCH_TIMEOUT_S = 8.0

# Scores between pictures from which a result is called this, best first; under the last, nothing is close.
# Read off the bundled encoder. The same product goes by the lead that look-alikes leave of a score: in a shop of 1,356
# products 1 % of 156 on-model photos whose product was taken out reach .65 with another one; among 5,166 photos of
# another shop none does, nor do groceries (200). Among 2,468 photos a score of .30 is reached by 99 % of 156 products
# with the best of their other photos, 63 % of 150 street photos and 14 % of the groceries. They hold until a shop has
# its own, for each category: `calibrate_bands`, docs/bands.md.
BAND_THRESHOLDS = {"same_photo": 0.93, "same_product": 0.65, "similar": 0.30}

# How the nearest products are put into order; docs/ranking.md says what each part is. eBay starts from .75 appearance;
# here more of it is better: of color, .05 costs nothing in finding the very product, and .1 begins to.
RANKING_WEIGHTS = {"appearance": 0.85, "color": 0.05, "attributes": 0.05, "quality": 0.05}
# What a version must have shown beside the live one before it can be promoted (docs/versions.md): on so many queries,
# no measure worse than this with 95 % confidence; no category with so many queries that loses more than this; a search
# that takes at most so many times as long.
VERSION_GATE: dict[str, Any] = {
    "queries": 100,
    "measures": {
        "encoder": {"recall@1": -0.03, "recall@5": -0.03, "ndcg@10": -0.03},
        "detector": {"recall@1": -0.03, "recall@5": -0.03, "ndcg@10": -0.03},
        "ranking": {"recall@1": -0.03, "ndcg@10": -0.03},
        "bands": {"band_right": -0.03},
    },
    "category_queries": 30,
    "category_loss": 0.1,
    "latency_ratio": 1.5,
}
# Category of a photo: the detector's share against the vote of the nearest products, how many of these vote, how much
# near ones outweigh far ones and rare categories common ones, from which detection they needn't be asked, and the
# confidence from which the category narrows the search, by who named it. What was fitted, what judged: docs/ranking.md.
CATEGORY_FUSION: dict[str, Any] = {
    "detector": 0.8,
    "neighbors": 40,
    "power": 2,
    "balance": 0.5,
    "sure": 0.6,
    "least": {"detector": 0.0, "fused": 0.0, "neighbors": 0.6},
}

# Whether merchants' insights and the order of results count what simulated shoppers did (docs/learning.md). Measures of
# the console tell real and simulated apart in any case.
COUNT_SIMULATED = os.environ.get("SHOP_SEARCH_COUNT_SIMULATED") == "1"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},  # or every query to a Qdrant server is a line
        "django_tasks": {"level": "WARNING"},  # the worker says itself what it does
        "django_tasks_db": {"level": "WARNING"},
        "rq": {"level": "WARNING"},
    },
}
