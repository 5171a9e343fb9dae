"""What one run has of one metric, bin by bin: its estimates, and how it differs from another."""
