"""A toy seizure detector."""
