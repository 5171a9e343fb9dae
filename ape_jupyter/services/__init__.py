"""What a library does beside storing: independent of each other."""
