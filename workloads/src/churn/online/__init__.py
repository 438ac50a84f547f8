"""The online store: activity of customers by the minute, running sessions, and scores while these last."""
