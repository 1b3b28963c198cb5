"""What the product does: verbs on nouns. No Flask, no SQL, no network."""
