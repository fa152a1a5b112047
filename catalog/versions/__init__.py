"""Versions of what answers searches: proposed, built beside the live one, compared, promoted, rolled back.

    propose ─> build (beside) ─> compare (catalog.comparisons) ─> gate ─> promote (switching) ─> rollback

What is live is a row of the database, which every process reads each second (catalog.serving).
"""

from catalog.serving import live
from catalog.versions.proposals import propose
from catalog.versions.switching import promote, retire, rollback

__all__ = ["live", "promote", "propose", "retire", "rollback"]
