//! Streams, listeners and names, built on what `rt` re-exports and on the driver.
