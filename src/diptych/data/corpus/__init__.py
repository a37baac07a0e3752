"""From texts to pairs: files, tables, filters, and what becomes of every line."""
