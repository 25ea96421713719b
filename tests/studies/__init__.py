"""Studies that justify the kit's constants: run by hand, their results kept in results/."""
