"""Models: the data they learn from, how they are fitted and measured."""
