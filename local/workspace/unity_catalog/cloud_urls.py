"""Cloud URLs, `s3://<bucket>/<path>`, and the folders of this machine that stand for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from local.workspace.core.errors import ApiError, bad_request, not_built

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace

_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\x00-\x1f\x7f]+)*")
_TIMEOUT_SECONDS = 10


def parsed(url: str, field: str) -> str:
    """Returns a URL in its one form, without a slash at its end.

    Args:
        url: As the request has it.
        field: Field of the request, for the message.

    Raises:
        ApiError: It is no URL of S3.
    """
    form = url.rstrip("/")
    if form.startswith(("abfss://", "gs://", "r2://")):
        raise not_built(f"cloud storage other than S3 ({field} {url})")
    if not _URL.fullmatch(form) or {".", ".."} & {*form.split("/")}:
        raise bad_request(f"{field} is {url!r}: write s3://<bucket>/<path>, without empty parts, . and ..")
    return form


def lies_in(url: str, parent: str) -> bool:
    """Whether a URL is another one or lies below it."""
    return url == parent or url.startswith(f"{parent}/")


def overlap(one: str, other: str) -> bool:
    """Whether one of two URLs lies in the other."""
    return lies_in(one, other) or lies_in(other, one)


def folder_of(workspace: Workspace, url: str) -> Path:
    """Returns the folder that stands for a URL."""
    return workspace.settings.s3.joinpath(*url.removeprefix("s3://").split("/"))


def url_of(workspace: Workspace, location: str) -> str:
    """Returns the URL of a place on this machine; a place that is in no bucket stays as it is.

    Args:
        workspace: The workspace.
        location: Path or `file:` URL, as Spark shows it.
    """
    path = Path(unquote(urlsplit(location).path))
    buckets = workspace.settings.s3.resolve()
    return f"s3://{path.relative_to(buckets).as_posix()}" if path.is_relative_to(buckets) else location


def check_bucket(workspace: Workspace, url: str) -> None:
    """Checks that AWS has the bucket of a URL.

    Raises:
        ApiError: It has none, or does not answer.
    """
    bucket = urlsplit(url).netloc
    request = Request(f"{workspace.settings.aws_url}/{bucket}", method="HEAD")  # noqa: S310 (our own address)
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 (our own address)
            return
    except HTTPError as error:
        if error.code != 404:  # any other answer is of a bucket that exists
            return
    except URLError as error:
        message = f"AWS at {workspace.settings.aws_url} does not answer; is it running? ({error.reason})"
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
    raise bad_request(
        f"AWS IAM role does not have READ permissions on url {url}. Please contact your account admin to update the "
        f"storage credential. The specified bucket does not exist: {bucket}"
    )
