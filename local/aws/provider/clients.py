"""boto3 clients that reach the local AWS and nothing else."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from local.aws.provider.values import Properties

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
TEXTS = {"accessKey", "profile", "region", "secretKey", "token", "version"}
"""Settings that the SDK sends as they are; all others arrive as JSON texts."""

TAKEN = {"accessKey", "allowedAccountIds", "defaultTags", "endpoints", "region", "secretKey", "token", "version"}
TAKEN |= {"s3UsePathStyle", "skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation"}
TAKEN |= {"skipRequestingAccountId"}
"""Settings that the local provider takes."""

KEYS = {"accessKey": "AWS_ACCESS_KEY_ID", "secretKey": "AWS_SECRET_ACCESS_KEY"}
ENDPOINT_NAMES = {"application-autoscaling": "appautoscaling"}
"""Names in the setting `endpoints` that are not boto3's."""


class SettingError(Exception):
    """A setting of the provider is missing or no good; the text names it and the remedy."""


@dataclass
class Clients:
    """Clients by service and region, made when they are first asked for.

    Attributes:
        settings: Settings of the provider.
    """

    settings: Properties
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # making a client is not thread-safe, using one is

    @property
    def region(self) -> str:
        """Region of resources that name none.

        Raises:
            SettingError: The provider has none.
        """
        if not self.settings.get("region"):
            raise SettingError("the AWS provider has no region: set it")
        return str(self.settings["region"])

    @property
    def default_tags(self) -> dict[str, str]:
        """Tags that every resource has."""
        return dict((self.settings.get("defaultTags") or {}).get("tags") or {})

    @property
    def account(self) -> str:
        """Id of the account that the keys belong to."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of a service.

        Raises:
            SettingError: The service has no endpoint: without one, the call would go to the real AWS.
        """
        import boto3  # 0.3 s that the plugin's start need not wait for
        from botocore.config import Config

        where = region or self.region
        with self._lock:
            if (service, where) not in self._made:
                self._made[service, where] = boto3.session.Session().client(
                    service,
                    region_name=where,
                    endpoint_url=endpoint(self.settings, service),
                    aws_access_key_id=_key(self.settings, "accessKey"),
                    aws_secret_access_key=_key(self.settings, "secretKey"),
                    config=Config(
                        s3={"addressing_style": "path"},
                        retries={"total_max_attempts": 5},
                        max_pool_connections=32,
                        connect_timeout=5,
                        proxies={},
                    ),
                )
            return self._made[service, where]


def read_settings(raw: Properties) -> Properties:
    """Settings of the provider from what the SDK sends.

    Raises:
        SettingError: A setting is not taken, or an endpoint is not on this machine.
    """
    settings = {name: value if name in TEXTS else _parsed(value) for name, value in raw.items()}
    settings = {name: value for name, value in settings.items() if value not in (None, {}, [], False)}
    if strange := sorted(settings.keys() - TAKEN):
        raise SettingError(f"the local AWS provider does not take the setting {', '.join(strange)}: leave it out")
    for service, url in _endpoints(settings).items():
        if urlsplit(str(url)).hostname not in LOCAL_HOSTS:
            raise SettingError(
                f"the endpoint of {service} is {url}: the local AWS provider calls services on 127.0.0.1 only"
            )
    return settings


def endpoint(settings: Properties, service: str) -> str:
    """Address of a service.

    Raises:
        SettingError: It has none.
    """
    name = ENDPOINT_NAMES.get(service, service)
    url = _endpoints(settings).get(name)
    if not url:
        raise SettingError(
            f"no endpoint is set for {name}: without one the call would go to the real AWS; add it to the provider's "
            "`endpoints`"
        )
    return str(url)


def _endpoints(settings: Properties) -> dict[str, Any]:
    return {name: url for block in settings.get("endpoints") or [] for name, url in block.items() if url}


def _key(settings: Properties, name: str) -> str:
    """A key from the settings or the environment; files and the machine's own role are not looked at."""
    key = settings.get(name) or os.environ.get(KEYS[name])
    if not key:
        raise SettingError(f"the AWS provider has no {name}: set {KEYS[name]}")
    return str(key)


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
