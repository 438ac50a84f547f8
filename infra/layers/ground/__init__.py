"""The layer of the ground: what the platform stands on in the cloud."""
