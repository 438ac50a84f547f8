"""The layer of the platform: everything inside a workspace."""
