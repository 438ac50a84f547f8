"""Masks: the functions that show less of a value, their key, and the policies that apply them to tagged columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.masks import IN_REGION, KEY, MASKS, REGION, REGION_READERS, ROW_TAG, TAG, Function, Mask
from infra.access.permissions import ObjectKind
from infra.access.roles import Role
from infra.layers.platform.permit import permit
from infra.once.mask_key import MaskKey, MaskKeyArgs
from infra.once.sql_function import SqlFunction, SqlFunctionArgs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.platform.permit import Principals

EVERYBODY = "account users"


@dataclass(frozen=True)
class MasksArgs:
    """Inputs of `Masks`.

    Attributes:
        host: URL of the workspace.
        catalog: The catalog whose tables are masked.
        warehouse_id: SQL warehouse that makes the functions.
        scope: Name of the secret scope for the key.
        functions: The functions to make.
        tags: Key of each tag that a policy goes by, known once it is seen that the account governs it.
        principals: Principal of each role.
        protect: Whether to refuse to destroy the scope: no other key gives the same hashes.
    """

    host: str
    catalog: str
    warehouse_id: pulumi.Input[str]
    scope: str
    functions: Sequence[Function]
    tags: Mapping[str, pulumi.Input[str]]
    principals: Principals
    protect: bool


class Masks(pulumi.ComponentResource):
    """Owns the masks of the catalog: secret scope, key, functions, and one policy for each class.

    A policy finds the columns by their tag, whichever table they are in, and applies to everybody but those it names.
    """

    def __init__(self, name: str, args: MasksArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the masks."""
        super().__init__("churn:platform:Masks", name, None, opts)
        scope = databricks.SecretScope(
            "masks", name=args.scope, opts=pulumi.ResourceOptions(parent=self, protect=args.protect)
        )
        permit(self, "masks", ObjectKind.MASKS_SCOPE, scope.name, args.principals)
        key = MaskKey("mask-key", MaskKeyArgs(args.host, scope.name, KEY), pulumi.ResourceOptions(parent=self))
        made = {function.name: self._function(function, args, key) for function in args.functions}
        for mask in MASKS:
            self._column_mask(mask, made[mask.function], args)
        self._row_filter(made[IN_REGION], args)
        self.register_outputs({})

    def _function(self, function: Function, args: MasksArgs, key: MaskKey) -> SqlFunction:
        """Declares one function, once the key is there that its body may read."""
        return SqlFunction(
            function.name,
            SqlFunctionArgs(
                host=args.host,
                warehouse_id=args.warehouse_id,
                full_name=function.full_name(args.catalog),
                parameter=function.parameter,
                returns=function.returns,
                comment=function.comment,
                body=function.body,
                owner=args.principals[Role.PLATFORM],
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[key]),
        )

    def _column_mask(self, mask: Mask, function: SqlFunction, args: MasksArgs) -> None:
        """Declares the policy that masks the columns of a class."""
        databricks.PolicyInfo(
            f"mask-{mask.classification}",
            name=f"mask_{mask.classification.replace('.', '_')}",
            comment=f"Masks what contracts classify as {mask.classification}",
            policy_type="POLICY_TYPE_COLUMN_MASK",
            on_securable_type="CATALOG",
            on_securable_fullname=args.catalog,
            for_securable_type="TABLE",
            to_principals=[EVERYBODY],
            except_principals=[args.principals[role] for role in mask.clear],
            match_columns=[{"alias": "value", "condition": _has(args.tags[TAG], mask.classification)}],
            column_mask={"function_name": function.full_name, "on_column": "value"},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _row_filter(self, function: SqlFunction, args: MasksArgs) -> None:
        """Declares the policy that leaves each analyst the rows of the own regions."""
        databricks.PolicyInfo(
            "rows-by-region",
            name="rows_by_region",
            comment="Shows an analyst the customers of the regions whose group the analyst is in",
            policy_type="POLICY_TYPE_ROW_FILTER",
            on_securable_type="CATALOG",
            on_securable_fullname=args.catalog,
            for_securable_type="TABLE",
            to_principals=[args.principals[REGION_READERS]],
            match_columns=[{"alias": REGION, "condition": _has(args.tags[ROW_TAG], REGION)}],
            row_filter={"function_name": function.full_name, "usings": [{"alias": REGION}]},
            opts=pulumi.ResourceOptions(parent=self),
        )


def _has(tag: pulumi.Input[str], value: str) -> pulumi.Output[str]:
    """The condition for a column that has a tag with a value."""
    return pulumi.Output.format("has_tag_value('{0}', '{1}')", tag, value)
