"""Quality beyond a single row: checks across tables and days, and quarantined rows that people have repaired."""
