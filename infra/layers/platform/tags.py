"""Tags of the columns that hold classified values, by which policies find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.masks import TAG
from infra.once.tags_in_effect import TagsInEffect, TagsInEffectArgs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.access.classified import Place


@dataclass(frozen=True)
class ColumnTagsArgs:
    """Inputs of `ColumnTags`.

    Attributes:
        catalog: The catalog of the tables.
        places: The columns that hold classified values.
        row_filters: Full names of columns that a row filter goes by, with the value of the tag that says so.
        minutes: Minutes that tags take to be in effect.
    """

    catalog: str
    places: Sequence[Place]
    row_filters: Sequence[tuple[str, str, str]]
    minutes: float


class ColumnTags(pulumi.ComponentResource):
    """Owns the tags of classified columns, whose tables exist by then, and waits until they are in effect."""

    def __init__(self, name: str, args: ColumnTagsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares a tag for each column."""
        super().__init__("churn:platform:ColumnTags", name, None, opts)
        wanted = [(f"{place.table}.{place.column}", TAG, place.classification) for place in args.places]
        wanted += args.row_filters
        tags = [
            databricks.EntityTagAssignment(
                f"{column}-{key}",
                entity_type="columns",
                entity_name=f"{args.catalog}.{column}",
                tag_key=key,
                tag_value=value,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for column, key, value in wanted
        ]
        written = ", ".join(f"{column}: {value}" for column, _, value in wanted)
        after = pulumi.ResourceOptions(parent=self, depends_on=tags)
        TagsInEffect(f"{name}-in-effect", TagsInEffectArgs(written, args.minutes), after)
        self.register_outputs({"columns": len(wanted)})
