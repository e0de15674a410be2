//! The one integration test binary: link once, run parallel.
