"""The Pulumi program of the churn platform."""
