"""A dated world of customers grown from IBM Telco, and the files that its systems deliver day by day."""
