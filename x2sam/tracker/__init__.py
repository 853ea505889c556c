"""SAM 2 as a promptable tracker: mark an object on any frame, get its mask on all of them."""
