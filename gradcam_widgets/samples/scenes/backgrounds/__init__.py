"""Sea, savanna, riverbank, and the light over them."""
