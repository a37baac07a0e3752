"""How fast each panel trains and decodes here, beside what the machine's own products allow."""
