"""Who may do what: one plan of all rights, as pure functions."""
