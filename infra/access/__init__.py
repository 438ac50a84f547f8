"""Who may do what: the plan of grants in Unity Catalog and the table of permissions in the workspace, as pure data."""
