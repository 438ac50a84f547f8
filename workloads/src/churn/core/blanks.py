"""Blanks around a value: the same characters in files, in Spark and in PostgreSQL.

A customer's id has to be the same everywhere, or an erasure would miss rows under another spelling of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column

# The characters with the property White_Space: https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt
BLANKS = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# The same as a literal of Spark's SQL, for queries that are files or texts.
BLANKS_IN_SQL = "'" + "".join(f"\\u{ord(blank):04x}" for blank in BLANKS) + "'"


def stripped(text: str) -> str:
    """A text without the blanks around it."""
    return text.strip(BLANKS)


def trimmed(text: Column | str) -> Column:
    """A column of text, or the column of that name, without the blanks around its values."""
    from pyspark.sql import functions as sf  # late: `ingest` needs no Spark to strip

    return sf.btrim(text, sf.lit(BLANKS))
