"""Pulumi's provider plugin `aws` over boto3, for exactly the resource types in `types`."""
