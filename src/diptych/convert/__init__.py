"""Recurrent models that other people made: read, inspected, converted, certified, or refused with the reason."""
