"""Erasure of a customer on request, and of rows that are older than their contract's retention."""
