"""The page: one module per tab; words, colours, cards and plots apart."""
