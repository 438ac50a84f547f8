"""`platform`: the command line of the people who run and change this project."""
