"""An export in use: its folder, and the steppers of runtimes that run it here."""
