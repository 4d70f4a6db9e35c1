"""The vocabulary that every stage shares; numpy only."""
