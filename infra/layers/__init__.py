"""The layers that stacks are made of: account, ground, platform."""
