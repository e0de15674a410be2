//! Least privilege of each command (specification, appendix G), independent of what the client's commands declare.

use crate::hal::ipmi::cmd::{NetFn, Privilege};

use Privilege::{Administrator as A, None as N, Operator as O, User as U};

/// Least privilege for a command; commands that the specification does not know need ADMINISTRATOR when they are
/// the vendor's, USER else (they are refused as unknown anyway).
pub fn required(netfn: NetFn, cmd: u8, data: &[u8]) -> Privilege {
    match netfn {
        NetFn::CHASSIS => chassis(cmd),
        NetFn::SENSOR_EVENT => sensor(cmd),
        NetFn::APP => app(cmd),
        NetFn::STORAGE => storage(cmd),
        NetFn::TRANSPORT => transport(cmd),
        NetFn::GROUP => group(cmd, data),
        NetFn::FIRMWARE | NetFn(0x2e..) => A,
        _ => U,
    }
}

fn chassis(cmd: u8) -> Privilege {
    match cmd {
        // Capabilities, status, restart cause, power-on hours.
        0x00 | 0x01 | 0x07 | 0x0f => U,
        // Set capabilities, front panel enables, power cycle interval.
        0x05 | 0x0a | 0x0b => A,
        // Control, reset, identify, restore policy, boot options.
        _ => O,
    }
}

fn sensor(cmd: u8) -> Privilege {
    match cmd {
        // Event receiver, PEF configuration, alerts.
        0x00 | 0x10 | 0x11 | 0x12 | 0x14 => A,
        0x02 | 0x24 | 0x26 | 0x28 | 0x2a | 0x2e | 0x30 => O,
        _ => U,
    }
}

fn app(cmd: u8) -> Privilege {
    match cmd {
        // Authentication capabilities, cipher suites, GUID, challenge, activate.
        0x37 | 0x38 | 0x39 | 0x3a | 0x54 => N,
        // Close Session: one's own; another's is checked where it is executed.
        0x3c => Privilege::Callback,
        // Resets, tests, set power state, global enables, users, channel, payload access, system info.
        0x02 | 0x03 | 0x05 | 0x06 | 0x2e | 0x40 | 0x43 | 0x45 | 0x47 | 0x4c | 0x50 | 0x56
        | 0x58 => A,
        // Watchdog reset and set, user name and access get.
        0x22 | 0x24 | 0x44 | 0x46 => O,
        _ => U,
    }
}

fn storage(cmd: u8) -> Privilege {
    match cmd {
        0x12 | 0x24..=0x27 | 0x29..=0x2c | 0x44..=0x47 | 0x49 | 0x5b | 0x5d => O,
        _ => U,
    }
}

fn transport(cmd: u8) -> Privilege {
    match cmd {
        // Set LAN, suspend ARP, set serial, set SOL.
        0x01 | 0x03 | 0x10 | 0x21 => A,
        // Get LAN configuration.
        0x02 | 0x11 => O,
        _ => U,
    }
}

fn group(cmd: u8, data: &[u8]) -> Privilege {
    match data.first() {
        Some(0xdc) => {}
        // Accounts for the Redfish host interface.
        Some(0x52) => return A,
        _ => return U,
    }
    match cmd {
        // Set power limit, activate it, set configuration parameters.
        0x04 | 0x05 | 0x12 => A,
        // Asset tag, controller id, thermal limit: set.
        0x08 | 0x0a | 0x0b => O,
        _ => U,
    }
}
