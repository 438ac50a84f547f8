// Package databricks bridges the Terraform provider for Databricks to Pulumi, as the published
// pulumi-databricks 1.104.0 presents it; tests compare its schema with that SDK.
package databricks

import (
	"context"
	"strings"

	"github.com/databricks/terraform-provider-databricks/shim"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shimapi "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/walk"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// idFrom lists the properties that make the id of resources whose upstream has no id of its own.
var idFrom = map[string]struct {
	separator  string
	properties []resource.PropertyKey
}{
	"databricks_account_federation_policy":           {"", keys("policyId")},
	"databricks_account_network_policy":              {"", keys("networkPolicyId")},
	"databricks_account_setting_v2":                  {"", keys("name")},
	"databricks_app":                                 {"", keys("name")},
	"databricks_apps_settings_custom_template":       {"", keys("name")},
	"databricks_budget_policy":                       {"", keys("policyId")},
	"databricks_database_database_catalog":           {"", keys("name")},
	"databricks_database_instance":                   {"", keys("name")},
	"databricks_database_synced_database_table":      {"", keys("name")},
	"databricks_entity_tag_assignment":               {",", keys("entityType", "entityName", "tagKey")},
	"databricks_materialized_features_feature_tag":   {"", keys("key")},
	"databricks_online_store":                        {"", keys("name")},
	"databricks_quality_monitor_v2":                  {"__", keys("objectId", "objectType")},
	"databricks_service_principal_federation_policy": {",", keys("servicePrincipalId", "policyId")},
	"databricks_workspace_network_option":            {"", keys("workspaceId")},
	"databricks_workspace_setting_v2":                {"", keys("name")},
}

// Provider maps every Terraform resource databricks_x to the token databricks:index/x:X.
// metadata is the generated bridge-metadata.json, or {} while it is being generated.
func Provider(metadata []byte) tfbridge.ProviderInfo {
	upstream := pfbridge.MuxShimWithPF(context.Background(), shimv2.NewProvider(shim.SDKv2()), shim.PF())
	one := func() *tfbridge.SchemaInfo { return &tfbridge.SchemaInfo{MaxItemsOne: tfbridge.True()} }
	renamed := func(name string) *tfbridge.ResourceInfo {
		return &tfbridge.ResourceInfo{
			Fields:    map[string]*tfbridge.SchemaInfo{"id": {Name: name}},
			ComputeID: joined("", keys(resource.PropertyKey(name))),
		}
	}
	info := tfbridge.ProviderInfo{
		P:            upstream,
		Name:         "databricks",
		Version:      "1.104.0",
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
		IgnoreMappings: append(previewDuplicates(upstream), "databricks_aws_s3_mount", "databricks_azure_adls_gen1_mount",
			"databricks_azure_adls_gen2_mount", "databricks_azure_blob_mount"),
		Resources: map[string]*tfbridge.ResourceInfo{
			// databricks:index:Provider would be the provider itself.
			"databricks_provider":        {Tok: tfbridge.MakeResource("databricks", "index", "MetastoreProvider")},
			"databricks_library":         renamed("libraryId"),
			"databricks_quality_monitor": renamed("monitorId"),
			"databricks_sql_endpoint":    {Fields: map[string]*tfbridge.SchemaInfo{"odbc_params": one()}},
			"databricks_automatic_cluster_update_workspace_setting": {Fields: map[string]*tfbridge.SchemaInfo{
				"automatic_cluster_update_workspace": {Elem: &tfbridge.SchemaInfo{
					Fields: map[string]*tfbridge.SchemaInfo{"enablement_details": one()}}}}},
		},
	}
	for name, id := range idFrom {
		info.Resources[name] = &tfbridge.ResourceInfo{ComputeID: joined(id.separator, id.properties)}
	}
	info.MustComputeTokens(tokens.SingleModule("databricks_", "index", tokens.MakeStandard("databricks")).Ignore("_pluginframework"))
	info.SetAutonaming(255, "-")
	tfbridge.MustTraverseProperties(&info, "64-bit-ids", wideIDsAreStrings)
	info.MustApplyAutoAliases()
	return info
}

// wideIDsAreStrings: 64-bit ids do not fit Pulumi's float64 numbers. Nested objects of plugin-framework resources
// are left alone: the bridge would put the override where it does not belong (pulumi-terraform-bridge #2803).
func wideIDsAreStrings(p tfbridge.PropertyVisitInfo) (tfbridge.PropertyVisitResult, error) {
	path := p.SchemaPath()
	step, ok := path[len(path)-1].(walk.GetAttrStep)
	top, _ := path[0].(walk.GetAttrStep)
	nested := top.Name == "provider_config" || top.Name == "ingress" || top.Name == "ingress_dry_run"
	if !ok || nested || (step.Name != "workspace_id" && step.Name != "principal_id") {
		return tfbridge.PropertyVisitResult{}, nil
	}
	p.SchemaInfo().Type = "string"
	return tfbridge.PropertyVisitResult{HasEffect: true}, nil
}

// joined computes an id from properties of the state.
func joined(separator string, properties []resource.PropertyKey) tfbridge.ComputeID {
	return func(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
		var parts []string
		for _, property := range properties {
			if value, ok := state[property]; ok && value.IsString() {
				parts = append(parts, value.StringValue())
			}
		}
		return resource.ID(strings.Join(parts, separator)), nil
	}
}

func keys(names ...resource.PropertyKey) []resource.PropertyKey { return names }

// previewDuplicates lists the upstream's trial copies of resources, which the published SDK does not have.
func previewDuplicates(upstream shimapi.Provider) []string {
	var names []string
	collect := func(name string, _ shimapi.Resource) bool {
		if strings.HasSuffix(name, "_pluginframework") {
			names = append(names, name)
		}
		return true
	}
	upstream.ResourcesMap().Range(collect)
	upstream.DataSourcesMap().Range(collect)
	return names
}
