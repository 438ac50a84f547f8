"""PostgreSQL itself, from a wheel, and the check of the passwords that it is given."""
