"""The pages people look at: one theme, one attention map; the report and the server's page."""
