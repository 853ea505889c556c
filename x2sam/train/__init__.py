"""Training: scenes, texts, losses and the loop. Nothing that serves a user imports it."""
