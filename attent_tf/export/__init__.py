"""What leaves the library: a SavedModel that needs none of it."""
