"""Adoption: objects that an interrupted deployment has made, and the state does not know, enter the state."""
