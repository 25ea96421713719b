"""What caused a bar: parses what a probe printed, judges it, keeps it. Pure but for the store; starts nothing."""
