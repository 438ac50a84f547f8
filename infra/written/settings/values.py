"""Values that several sections have: names of groups, and addresses."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from infra.written.sections import wrong_value

# Databricks' own in every workspace; Unity Catalog grants nothing to them.
# https://docs.databricks.com/aws/en/admin/users-groups/groups
SYSTEM_GROUPS = ("admins", "users")


def _group_name(name: str) -> str:
    """Refuses names that no group of an account can have."""
    if name.strip() != name or not name.isprintable():
        allowed = "text without control characters, and without blanks before or after it"
        raise wrong_value(allowed, "remove these characters")
    if name.casefold() in SYSTEM_GROUPS:
        own = " and ".join(SYSTEM_GROUPS)
        allowed = f"a group of the account; {own} are Databricks' own in each workspace"
        raise wrong_value(allowed, "name a group that has only the people who need it")
    return name


def _address(url: str) -> str:
    """Refuses text that is no address of a host."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.port != 0:
            return url
    except ValueError:  # a port that is no number, or too high
        pass
    allowed = "a URL with the name of a host and perhaps a port from 1 to 65535"
    raise wrong_value(allowed, "copy the address from the browser, up to the first slash after the host")


GroupName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_group_name)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
Url = Annotated[str, AfterValidator(_address)]
# The address of Databricks: https, unless it is on this machine.
Host = Annotated[Url, StringConstraints(pattern=r"^(https://[^/\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")]
