"""The product's own settings, and a demo of every eighth product: drawing and indexing all of them takes minutes."""

import fixtures.demo
from fixtures import demo_products
from shop_search.settings import *  # noqa: F403

products = demo_products()[::8]
setattr(fixtures.demo, "demo_products", lambda: products)  # noqa: B010 - as a test's monkeypatch does
