//! The transport room with real processes.
