"""Features and labels of gold."""
