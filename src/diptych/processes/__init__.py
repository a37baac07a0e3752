"""Processes of one framework each: started, fed, watched and stopped; the messages between them; where they run."""
