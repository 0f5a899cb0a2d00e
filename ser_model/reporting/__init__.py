"""What a run leaves behind for its reader: figures, pictures, model card, tables."""
