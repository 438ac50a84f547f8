package databricks

import (
	"context"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Ids as the published provider makes them. Without a computed id the bridge would write the constant "id".
func TestIDsAreAsPublished(t *testing.T) {
	info := Provider([]byte("{}"))
	for name, expected := range map[string]string{
		"databricks_account_federation_policy":           "policyId",
		"databricks_account_network_policy":              "networkPolicyId",
		"databricks_account_setting_v2":                  "name",
		"databricks_app":                                 "name",
		"databricks_apps_settings_custom_template":       "name",
		"databricks_budget_policy":                       "policyId",
		"databricks_database_database_catalog":           "name",
		"databricks_database_instance":                   "name",
		"databricks_database_synced_database_table":      "name",
		"databricks_entity_tag_assignment":               "entityType,entityName,tagKey",
		"databricks_library":                             "libraryId",
		"databricks_materialized_features_feature_tag":   "key",
		"databricks_online_store":                        "name",
		"databricks_quality_monitor":                     "monitorId",
		"databricks_quality_monitor_v2":                  "objectId__objectType",
		"databricks_service_principal_federation_policy": "servicePrincipalId,policyId",
		"databricks_workspace_network_option":            "workspaceId",
		"databricks_workspace_setting_v2":                "name",
	} {
		state := resource.PropertyMap{}
		for _, key := range []resource.PropertyKey{"entityName", "entityType", "key", "libraryId", "monitorId", "name",
			"networkPolicyId", "objectId", "objectType", "policyId", "servicePrincipalId", "tagKey", "workspaceId"} {
			state[key] = resource.NewProperty(string(key))
		}
		mapped := info.Resources[name]
		if mapped == nil || mapped.ComputeID == nil {
			t.Errorf("%s has no computed id", name)
			continue
		}
		if id, err := mapped.ComputeID(context.Background(), state); err != nil || string(id) != expected {
			t.Errorf("%s has the id %q (%v), not %q", name, id, err, expected)
		}
	}
}
