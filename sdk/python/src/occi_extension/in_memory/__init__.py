"""What stands in for the bindings of a component, by the same names."""
