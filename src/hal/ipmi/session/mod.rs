//! The client's half of an IPMI session, sans-IO.
