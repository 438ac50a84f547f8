"""The settings of a stack: a module a section of `Pulumi.<stack>.yaml`, and the rules over several values."""
