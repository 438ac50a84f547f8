"""Cases of the rules on names and providers."""

from __future__ import annotations

from policies.rule import PROVIDER
from tests.policies.cases.case import Case
from tests.policies.cases.inputs import CATALOG, EXPLORE, without

CASES = [
    Case("explicit-name", "Schema", {"catalogName": "churn"}, "name is '", {"catalogName": "churn", "name": "gold"}),
    Case("explicit-provider", "Catalog", CATALOG, "provider is 'default_", CATALOG, bad_options='version="1.104.0"'),
    Case(
        "explicit-provider",
        "Catalog",
        CATALOG,
        "provider is 'default_",
        CATALOG,
        bad_options='version="1.104.0"',
        good_options="provider=almost_default",
    ),
    Case(
        "explicit-provider",
        PROVIDER,
        {},
        "host is not set",
        {"host": "https://example.com"},
        bad_options='version="1.104.0"',
        good_options='version="1.104.0"',
    ),
    Case("explicit-name", "Cluster", without(EXPLORE, "clusterName"), "clusterName is not set", EXPLORE),
]
