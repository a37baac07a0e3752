"""What `make harden` tries, a row of docs/reliability.md in each file; the quick tests try a few of the same."""
