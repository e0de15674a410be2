//! What a person or systemd sees. clap, printing and exit codes live only here.

use std::process::ExitCode;

/// Entry point of the binary.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
