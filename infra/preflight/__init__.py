"""Checks of a workspace before the first deployment to it, of what the program needs there and does not make."""
