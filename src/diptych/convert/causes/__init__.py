"""Why two models part: mistakes of porting, planted in one model to see whether that gives the other's numbers."""
