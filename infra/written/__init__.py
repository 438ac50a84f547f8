"""What people write: settings, contracts and requests, read and checked without a provider SDK."""
