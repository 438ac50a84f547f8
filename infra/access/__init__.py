"""Access rights as pure data: the plan of grants in Unity Catalog and the table of permissions in the workspace."""
