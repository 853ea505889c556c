"""Words in, words out: requests become tokens, tokens become readable replies. No torch."""
