"""Two versions side by side: the same queries through both, and what differed."""
