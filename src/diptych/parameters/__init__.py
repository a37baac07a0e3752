"""What the model's weights are, their first values, and their files."""
