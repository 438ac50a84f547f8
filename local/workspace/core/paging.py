"""Lists that are answered a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from local.workspace.core.store import Document


def page(items: list[Any], name: str, size: int, token: str, *, most: int) -> Document:
    """Cuts one page out of a list.

    Args:
        items: The whole list.
        name: Field of the answer that holds the page.
        size: Items wanted on the page; a larger number than `most` counts as `most`.
        token: `next_page_token` of the page before, or empty for the first page.
        most: Items that a page may have.

    Returns:
        The page and, where more items follow, `next_page_token`.

    Raises:
        ApiError: The token is not one that this workspace gave, or the size is below 1.
    """
    if token and not token.isdecimal():
        raise bad_request(f"page_token {token!r} was not given by this workspace")
    if size < 1:
        raise bad_request(f"the size of a page is {size}; it must be at least 1")
    begin, end = int(token or 0), int(token or 0) + min(size, most)
    answer: Document = {name: items[begin:end]}
    if end < len(items):
        answer["next_page_token"] = str(end)
    return answer
