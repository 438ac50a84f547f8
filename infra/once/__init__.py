"""Resources for what has to happen once before something else can be made."""
