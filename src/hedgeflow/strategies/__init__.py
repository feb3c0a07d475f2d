"""The strategies: configuration, claims, and the pure decisions that they make."""
