"""Remedies for what a service refuses: which object, why, and what to do, out of the engine's output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A resource in the engine's list of diagnostics, by its type and the last part of its URN, and what is said of it.
_RESOURCE = re.compile(r"^  (?P<type>\S+) \((?P<name>.+)\):$")
_CAUSES = (
    re.compile(r"^\s+\* (?P<cause>.+)$"),  # of a provider that is bridged
    re.compile(r"^\s+error: (?P<cause>.+)$"),
)
_NOISE = re.compile(
    r"^\s*\S+\.go:\d+: sdk\.helper_schema: |: provider=\S+@[\d.]+$|\. Config: .*$|^\s+|error: \d+ errors? occurred:"
)


@dataclass(frozen=True)
class Remedy:
    """What to do about one kind of refusal.

    Attributes:
        pattern: What the service says; its groups may stand in the text.
        text: What to do.
    """

    pattern: re.Pattern[str]
    text: str


REMEDIES = (
    Remedy(
        re.compile(
            r"no valid bearer token|invalid access token|invalid_client|unauthenticated|401 unauthorized"
            r"|credential was not sent|cannot configure default credentials|no valid credential sources"
            r"|AuthFailure|SignatureDoesNotMatch|InvalidSignatureException|InvalidAccessKeyId|InvalidClientTokenId"
            r"|UnrecognizedClientException|ExpiredToken|RequestExpired",
            re.IGNORECASE,
        ),
        "the credentials are missing, wrong or too old: set those of the deployer, such as DATABRICKS_CLIENT_ID and "
        "DATABRICKS_CLIENT_SECRET or AWS_PROFILE",
    ),
    Remedy(
        re.compile(r"does not have (?P<right>[A-Z][A-Z ]+[A-Z]) on (?P<object>[A-Z][\w ]+ '[^']+')"),
        "who owns {object}, or holds MANAGE on it, runs: GRANT {right} ON {object} TO the deployer",
    ),
    Remedy(
        re.compile(r"is not an owner of (?P<object>[A-Z][\w ]+ '[^']+')"),
        "who owns {object} changes it, or gives it to a group of the deployer",
    ),
    Remedy(
        re.compile(r"is not authorized to perform: (?P<action>[\w-]+:\w+)"),
        "who administers the account in AWS allows {action} to the deployer; docs/security.md has all that a ground "
        "needs",
    ),
    Remedy(
        re.compile(r"UnauthorizedOperation|AccessDenied|Access Denied"),
        "AWS does not allow this to the deployer: compare its rights with those of `ci` in docs/security.md; "
        "`aws sts decode-authorization-message` reads an encoded message",
    ),
    Remedy(
        re.compile(
            r"is not an administrator|is not a manager|without the \S+ entitlement|PERMISSION_DENIED"
            r"|(?:only|requires) (?:\w+ )*admin|is not authorized to|does not have (?:\w+ )*permission",
            re.IGNORECASE,
        ),
        "the deployer lacks a right of the workspace or the account: an administrator there gives it, or deploys this "
        "layer; docs/operations.md has the rights of each step",
    ),
    Remedy(
        # EC2 says "Request limit exceeded" of too many requests, which pass.
        re.compile(
            r"estimated count: \d+, limit: \d+|reached the limit|QUOTA_?EXCEEDED|TooMany(?!Requests)\w+"
            r"|(?<!request)(?<!request )limit ?exceeded|maximum number of [\w ]+ has been reached",
            re.IGNORECASE,
        ),
        "the quota is reached: delete what nobody uses there, or let the provider of the service raise it",
    ),
    Remedy(
        re.compile(
            r"already exists|AlreadyExists|BucketAlreadyOwnedByYou|already used by another|\.Duplicate\b"
            r"|Duplicate(?:Listener|LoadBalancerName|Record|TargetGroupName)",
            re.IGNORECASE,
        ),
        "the name is taken by an object that this stack did not make: rename or delete that, or take it over by "
        "`pulumi import`",
    ),
)


def explained(output: str) -> str:
    """Explains each known refusal in an engine's output, once.

    Args:
        output: The engine's output, with its list of diagnostics.

    Returns:
        Two lines for each object, with its cause and the remedy, and how to go on; empty where nothing is known.
    """
    explanations = list(dict.fromkeys(_explanations(output)))
    if not explanations:
        return ""
    return "\n".join([*explanations, "What was made until then is kept: the next deployment goes on from there."])


def passed_on(lines: Iterable[str]) -> str:
    """Prints an engine's output as it comes, and explains it as `explained` does."""
    kept = []
    for line in lines:
        print(line, end="", flush=True)
        kept.append(line)
    return explained("".join(kept))


def _explanations(output: str) -> list[str]:
    _, _, diagnostics = output.rpartition("\nDiagnostics:\n")
    found, resource = [], ""
    causes: dict[str, str] = {}
    for line in diagnostics.splitlines():
        if heading := _RESOURCE.match(line):
            resource = f"{heading['type'].rpartition(':')[2]} {heading['name']}"
            continue
        for form in _CAUSES:
            match = form.match(line)
            remedy = _remedy(match["cause"]) if match else ""
            if match and remedy and causes.setdefault(resource, remedy) == remedy:
                found.append((resource, _NOISE.sub("", match["cause"]), remedy))
                break
    last = {resource: (cause, remedy) for resource, cause, remedy in found}  # the shortest form comes last
    return [f"{resource}: {cause}\n  remedy: {remedy}" for resource, (cause, remedy) in last.items()]


def _remedy(cause: str) -> str:
    """What to do about a cause; empty where none is known."""
    for remedy in REMEDIES:
        if match := remedy.pattern.search(cause):
            return remedy.text.format(**match.groupdict())
    return ""
