"""A merchant's feed -> clean rows. Knows files and columns, neither the database nor pictures.

    bytes -> format -> text (encoding) -> items (delimiter, tags) -> columns (aliases, mapping) -> clean rows

One reader for every format: Google Merchant CSV, TSV and XML, Excel's XLSX, Shopify's CSV, JSON lines. A zip may hold
any of them beside its pictures (`archive`). A row is taken whole or not at all: a FeedRow, or one RowError for
each thing wrong with it. What is only half wrong (a GTIN that a spreadsheet mangled) is left out of the row and told as
one of its warnings.
"""

from catalog.feeds.columns import ColumnMap
from catalog.feeds.reader import Feed, Reading, open_feed, read_rows
from catalog.feeds.rows import FeedRow, RowError
from catalog.feeds.seen import SeenIds

__all__ = ["ColumnMap", "Feed", "FeedRow", "Reading", "RowError", "SeenIds", "open_feed", "read_rows"]
