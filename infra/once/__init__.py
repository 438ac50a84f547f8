"""Resources for steps that happen once, before other resources can be made."""
