"""Model card, pictures and tables of what was trained and evaluated."""
