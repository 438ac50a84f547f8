"""Bronze to silver: rows conformed to their contract, and every row accounted for."""
