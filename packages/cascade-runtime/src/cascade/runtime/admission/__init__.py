"""What a task passes before it starts: the `controller` of capacities and of live `constraints`."""
