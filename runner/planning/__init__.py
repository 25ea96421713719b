"""From a request to the launches in their order: BKMs, plans and ladders, as pure functions of data."""
