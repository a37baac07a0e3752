"""A model as one HTML file that translates by itself: the JavaScript painting, the weights, and a page around them."""
