"""Files of volumes (`/Volumes`) and of the workspace (`/Workspace`)."""
