"""The animals, vessels and the photographer that scenes show."""
