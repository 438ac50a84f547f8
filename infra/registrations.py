"""All resources' registrations, waited for at once at the end of the program."""

from __future__ import annotations

import asyncio

import pulumi


class Registrations:
    """The registrations of a program's resources.

    Pulumi's SDK waits for them too, but asks all outstanding outputs again whenever one of them is there: the time goes
    with the square of their number, and a resource has some thirty (`wait_for_rpcs` in `pulumi/runtime/stack.py`).
    """

    def __init__(self) -> None:
        self._resources: list[pulumi.Resource] = []

    def note(self, args: pulumi.ResourceTransformationArgs) -> None:
        """Keeps a resource that is declared; a transformation of the stack, which changes nothing."""
        self._resources.append(args.resource)

    async def ended(self) -> None:
        """Waits until the engine has registered every resource, or one has failed; an entry point for `pulumi.run`.

        What has failed is left to the SDK, which shows it.
        """
        urns = [asyncio.ensure_future(resource.urn.future()) for resource in self._resources]
        if urns:
            done, _ = await asyncio.wait(urns, return_when=asyncio.FIRST_EXCEPTION)
            for urn in done:
                urn.exception()  # looked at, or asyncio would complain of it beside the SDK
