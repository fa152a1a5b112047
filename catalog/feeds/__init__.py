"""A merchant's feed -> clean rows. Knows files and columns, neither the database nor pictures.

    bytes -> text (encoding) -> records (delimiter, quotes) -> columns (aliases, mapping) -> clean rows

A row is taken whole or not at all: a FeedRow, or one RowError for each thing wrong with it. What is only half wrong (a
GTIN that a spreadsheet mangled) is left out of the row and told as one of its warnings.
"""

from catalog.feeds.columns import ColumnMap
from catalog.feeds.reader import Feed, open_feed, read_rows
from catalog.feeds.rows import FeedRow, RowError

__all__ = ["ColumnMap", "Feed", "FeedRow", "RowError", "open_feed", "read_rows"]
