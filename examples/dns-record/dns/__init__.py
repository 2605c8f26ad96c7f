"""Records of the domain name system as plain values: no host, no state."""
