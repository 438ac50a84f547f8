"""Two schemas, one after the other, in a catalog that exists."""

import pulumi
import pulumi_databricks as databricks

config = pulumi.Config()
provider = databricks.Provider(
    "workspace", host=config.require("host"), token=config.require_secret("token"), auth_type="pat"
)
options = pulumi.ResourceOptions(provider=provider, ignore_changes=["properties"])
gold = databricks.Schema("gold", catalog_name="refused", name="gold", opts=options)
databricks.Schema(
    "silver",
    catalog_name="refused",
    name="silver",
    opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[gold])),
)
