"""Data contracts as people write them: checked before anything is deployed, compared, documented, begun from a template."""
