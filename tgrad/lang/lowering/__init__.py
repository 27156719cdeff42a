"""What the grammar derives -> Python's `ast`, one method for each form that the grammar names."""
