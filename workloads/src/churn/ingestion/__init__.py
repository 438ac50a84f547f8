"""Delivered files: examined, admitted or quarantined."""
