"""Pictures, clips and masks as arrays, without torch."""
