"""One conversation about one picture or clip: words and pointing edit the same objects."""
