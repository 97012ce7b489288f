"""A DCGAN for pictures of 28x28 pixels: networks, losses, steps."""
