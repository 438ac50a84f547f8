"""The simulated world that stands for source systems, and its deliveries."""
