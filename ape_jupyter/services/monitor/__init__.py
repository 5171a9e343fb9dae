"""What a library observes of itself, and what follows from that."""
