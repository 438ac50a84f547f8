"""Tags of Unity Catalog's objects, within the limits of its documentation ("Apply tags", Constraints)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_TAGS = 50
KEY_CHARACTERS = 255
VALUE_CHARACTERS = 1000
_REFUSED = ".,-=/:"


def tagged(kept: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Returns an object's tags with new ones, which replace those of the same key.

    Raises:
        ApiError: A key or a value breaks a limit, or the object would have too many tags.
    """
    for key, value in new.items():
        if not 0 < len(key) <= KEY_CHARACTERS or any(character in key for character in _REFUSED):
            raise bad_request(f"tag key {key[:60]!r}: 1 to {KEY_CHARACTERS} characters, none of {' '.join(_REFUSED)}")
        if len(value) > VALUE_CHARACTERS:
            raise bad_request(f"tag {key}: its value has {len(value)} characters; allowed: {VALUE_CHARACTERS}")
        if key != key.strip() or value != value.strip():
            raise bad_request(f"tag {key!r}: key and value neither begin nor end with a blank")
    tags = {**kept, **new}
    if len(tags) > MOST_TAGS:
        raise bad_request(f"{len(tags)} tags; an object has at most {MOST_TAGS}")
    return tags
