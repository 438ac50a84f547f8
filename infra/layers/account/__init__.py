"""The layer of the account: what all workspaces of an account share."""
