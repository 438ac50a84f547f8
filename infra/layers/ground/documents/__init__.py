"""IAM documents as pure functions: who may do what in AWS, without an SDK."""
