"""Training: the data that models learn from, the fit and its metrics."""
