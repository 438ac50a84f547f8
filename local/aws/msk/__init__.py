"""Amazon MSK over moto's: clusters that are real brokers, and what moto lacks."""
