"""Lists that are answered a page at a time."""

from .errors import bad_request
from .store import Document


def page(found: list[Document], name: str, size: int, token: str, *, most: int = 100) -> Document:
    """One page of a list.

    Args:
        found: The whole list.
        name: Field of the answer that holds the page.
        size: Items wanted on it.
        token: `next_page_token` of the page before, or empty for the first.
        most: Items that a page may have.

    Raises:
        ApiError: The token is none of this workspace's, or the size is below 1.
    """
    if token and not token.isdecimal():
        raise bad_request(f"page_token {token!r} is none of this workspace")
    if size < 1:
        raise bad_request(f"a page of {size} items is asked for; it must have at least 1")
    begin, end = int(token or 0), int(token or 0) + min(size, most)
    answer: Document = {name: found[begin:end]}
    if end < len(found):
        answer["next_page_token"] = str(end)
    return answer
