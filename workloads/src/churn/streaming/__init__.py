"""The stream of customers' events: from messages to silver, exactly once by id, and the account of every message."""
