"""The corpora that Diptych makes itself."""
