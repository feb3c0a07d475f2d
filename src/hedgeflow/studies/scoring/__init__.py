"""Detection against truth: what a scan of a simulated market found, and how right it was."""
