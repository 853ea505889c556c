"""The network: its parts, how they are made and filled, and how its output is read."""
