"""What was asked, under which leases, and what was learned: loops, streams, refits."""
