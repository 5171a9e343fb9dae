"""What makes runs quick to find; kept in the transaction that changes a run."""
