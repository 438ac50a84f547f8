"""What every other folder uses: the command line of tasks, data contracts, tables."""
