//! The Redfish driver against recorded servers and against sushy-emulator.

mod bench;
mod cli;
mod connect;
mod forced;
mod matrix;
mod print;
mod requests;
mod sushy;
mod table;
