"""From a run's folder to a verdict on every claim of a publication: pure functions that know no engine."""
