"""The gate: checks that a challenger must pass before it becomes champion."""
