"""Crops and texts in, embeddings and neighbors out. This room knows neither the database nor HTTP nor detection."""

from embeddings.types import Encoder, VectorStore
from shop_search.backends import Backend

encoder: Backend[Encoder] = Backend("ENCODER")
vector_store: Backend[VectorStore] = Backend("VECTOR_STORE")
