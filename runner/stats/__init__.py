"""From records to tables: pure functions. Imports no engine and draws nothing."""
