"""Governance of classified columns: closed while they change, masked, tagged. Grants to people come after all of it.

Whatever interrupts a deployment, people are without the tables rather than without the masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.classified import classified_places, classified_tables, streamed_tables
from infra.access.masks import GOVERNED, functions, row_filters
from infra.access.plan import Plan
from infra.access.roles import principals
from infra.access.securables import Phase
from infra.errors import UngovernedTagError
from infra.layers.platform.grants import CatalogGrants, CatalogGrantsArgs
from infra.layers.platform.masks import Masks, MasksArgs
from infra.layers.platform.tags import ColumnTags, ColumnTagsArgs
from infra.names import masks_scope
from infra.once.classified_tables import ClassifiedTables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.context import Context
    from infra.layers.platform.identities import Identities
    from infra.layers.platform.permit import Principals


class Classified(pulumi.ComponentResource):
    """Owns the list of classified columns, which is in force before code that fills them is uploaded.

    Attributes:
        tables: The list.
    """

    tables: ClassifiedTables

    def __init__(self, name: str, tables: Sequence[str], places: Sequence[str], opts: pulumi.ResourceOptions) -> None:
        """Declares the list; see `ClassifiedTables`."""
        super().__init__("churn:platform:Classified", name, None, opts)
        self.tables = ClassifiedTables("classified-tables", tables, places, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def declare_classified(context: Context) -> Classified:
    """Lists the classified columns of a stack."""
    contracts, catalog = context.sources.contracts, context.settings.catalog
    return Classified(
        "classified",
        [f"{catalog}.{table}" for table in classified_tables(contracts)],
        [f"{place.table}.{place.column}: {place.classification}" for place in classified_places(contracts)],
        context.after(),
    )


def deploy_masks(
    context: Context, principals_: Principals, warehouse_id: pulumi.Input[str], after: Sequence[pulumi.Resource]
) -> Masks:
    """Makes the masks of the catalog, before there is anything to mask.

    Args:
        context: What people wrote, and the provider of the workspace.
        principals_: Principal of each role.
        warehouse_id: SQL warehouse that makes the functions.
        after: What must exist before: the schema of the functions with its grants, and the warehouse.
    """
    settings, platform = context.settings, context.platform
    scope = masks_scope(settings.prefix)
    args = MasksArgs(
        host=platform.workspace.host,
        catalog=settings.catalog,
        warehouse_id=warehouse_id,
        scope=scope,
        functions=functions(scope, principals(platform, settings.prefix)),
        tags={key: governed(key, values, context, after) for key, values in GOVERNED.items()},
        principals=principals_,
        protect=platform.protect_data,
    )
    return Masks("masks", args, context.after(*after))


def open_tables(
    context: Context,
    identities: Identities,
    classified: Classified,
    masks: Masks,
    runs: pulumi.Resource,
    sighting: pulumi.Resource | None,
) -> None:
    """Tags the columns of tables, then lets people read them: those of the stream, which come last, by themselves.

    Every right waits for all masks, and for the tags of its table to be in effect.

    Args:
        context: What people wrote, and the provider of the workspace.
        identities: Principals that get rights.
        classified: The list from which the grants take the names of their tables.
        masks: The masks of the catalog.
        runs: The runs that have made the tables of files and of jobs.
        sighting: The stream's tables, which exist; None without a stream.
    """
    streamed = streamed_tables(context.sources.contracts)
    _open(context, identities, classified, masks, ("column-tags", "table-access"), runs, lambda t: t not in streamed)
    if sighting:
        names = ("stream-tags", "stream-access")
        _open(context, identities, classified, masks, names, sighting, lambda t: t in streamed)


def _open(
    context: Context,
    identities: Identities,
    classified: Classified,
    masks: Masks,
    names: tuple[str, str],
    made: pulumi.Resource,
    chosen: Callable[[str], bool],
) -> None:
    """Tags the chosen tables once they are made, and then makes the grants on them."""
    contracts, catalog = context.sources.contracts, context.settings.catalog
    args = ColumnTagsArgs(
        catalog=catalog,
        places=[place for place in classified_places(contracts) if chosen(place.table)],
        row_filters=[each for each in row_filters(contracts) if chosen(each[0].rpartition(".")[0])],
        minutes=context.platform.tag_minutes,
    )
    tags = ColumnTags(names[0], args, context.after(made))
    plan = context.sources.plan.part(Phase.TABLES)
    part = Plan({table: held for table, held in plan.items() if chosen(table.name.removeprefix(f"{catalog}."))})
    of_people = CatalogGrantsArgs(part, identities.application_ids, classified.tables)
    CatalogGrants(names[1], of_people, context.after(masks, tags))


def governed(key: str, values: Sequence[str], context: Context, after: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
    """Gives the key of a tag that the account governs: a policy passes over every other tag, and would mask nothing.

    Args:
        key: The tag.
        values: Values that it has to allow.
        context: What people wrote, and the provider of the workspace.
        after: What must exist before: the stack's own tags among it, where it makes them.

    Returns:
        The key; the output fails where the account has no such policy, and with UngovernedTagError where values lack.
    """
    options = pulumi.InvokeOutputOptions(provider=context.workspace, depends_on=[*after])
    found = databricks.get_tag_policy_output(tag_key=key, opts=options)
    return found.apply(lambda policy: _checked(key, values, {value.name for value in policy.values or []}))


def _checked(key: str, values: Sequence[str], allowed: set[str]) -> str:
    if lacking := sorted({*values} - allowed):
        raise UngovernedTagError(
            f"governed tag {key}: received {', '.join(sorted(allowed)) or 'no values'}; {', '.join(lacking)} lack, so "
            "that columns of these classes would not be masked; remedy: deploy the stack of the account first"
        )
    return key
