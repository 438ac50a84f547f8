"""What every area of the workspace uses: its state, requests, errors, paging and the look of pages."""
