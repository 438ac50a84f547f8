"""Writes the page `docs/parity.md`: `python -m tests.parity`."""

from __future__ import annotations

from tests.parity.page import PAGE, Claims, page

if __name__ == "__main__":
    PAGE.write_text(page(Claims.of_the_repository()), encoding="utf-8")
