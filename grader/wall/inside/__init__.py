"""What runs inside the sandbox: mounted there as it is, so it imports nothing of Gapgrade but its neighbours."""
