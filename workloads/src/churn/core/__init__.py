"""Base of all other folders: the command line of tasks, data contracts, tables, errors."""
