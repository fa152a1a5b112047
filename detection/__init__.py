"""Pictures in, detections out. This room knows neither the database nor HTTP nor embeddings."""

from detection.types import Detector
from shop_search.backends import Backend

detector: Backend[Detector] = Backend("DETECTOR")
