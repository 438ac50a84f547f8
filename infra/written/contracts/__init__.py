"""Data contracts as people write them: checked before a deployment, compared, documented, begun from a template."""
