//! The only code that talks to the system and to the host.
