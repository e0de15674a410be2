//! Event data 2 and 3 of sensor-specific events (table 42-3), where bits of event data 1 say that they are used.

use super::record::SystemEvent;

fn pick(names: &[&str], index: u8, what: &str) -> String {
    match names.get(usize::from(index)) {
        Some(name) if !name.is_empty() => (*name).to_owned(),
        _ => format!("{what} {index:#04x}"),
    }
}

/// Is event data 3 part of what [`details`] tells?
pub(super) fn uses_three(event: &SystemEvent) -> bool {
    let [first, ..] = event.data;
    first & 0x30 == 0x30
        && matches!(
            (event.sensor_type, event.offset()),
            (0x08 | 0x10, 5 | 6) | (0x0c | 0x21 | 0x2a, _)
        )
}

/// What event data 2 and 3 say, in words: each only when its bits of event data 1 name it an extension of the sensor
/// type (3).
#[expect(clippy::too_many_lines, reason = "one arm per row of the table")]
pub(super) fn details(event: &SystemEvent) -> Vec<String> {
    let [first, two, three] = event.data;
    let two = (first >> 6 == 3).then_some(two);
    let three = (first & 0x30 == 0x30).then_some(three);
    let offset = event.offset();
    let mut out = Vec::new();
    match (event.sensor_type, offset) {
        (0x05, 4) => out.extend(two.map(|n| format!("network controller {n}"))),
        (0x08, 6) => out.extend(three.map(|n| {
            let names = [
                "vendor mismatch",
                "revision mismatch",
                "processor missing",
                "power supply rating mismatch",
                "voltage rating mismatch",
            ];
            pick(&names, n & 0x0f, "error type")
        })),
        (0x0c, _) => out.extend(three.map(|n| format!("DIMM {n}"))),
        (0x0f, 0) => out.extend(two.map(|n| pick(&POST_ERRORS, n, "POST error"))),
        (0x0f, 1 | 2) => out.extend(two.map(|n| pick(&PROGRESS, n, "progress code"))),
        (0x10, 0) => out.extend(two.map(|n| format!("DIMM {n}"))),
        (0x10, 1) => out.extend(two.map(|n| format!("event/reading type {n:#04x}"))),
        (0x10, 5) => out.extend(three.map(|n| format!("{n} percent full"))),
        (0x10, 6) => out.extend(three.map(|n| format!("processor {n}"))),
        (0x12, 3) => out.extend(two.map(|n| {
            let names = [
                "entry added",
                "entry added because event did not map to a standard one",
                "entry added along with one or more SEL entries",
                "log cleared",
                "log disabled",
                "log enabled",
            ];
            pick(&names, n >> 4, "log entry action")
        })),
        (0x12, 4) => out.extend(two.map(|n| {
            let names = [
                "alert",
                "power off",
                "reset",
                "power cycle",
                "OEM action",
                "diagnostic interrupt",
            ];
            let set: Vec<&str> = (0..6u8)
                .filter(|bit| n & (1 << bit) != 0)
                .filter_map(|bit| names.get(usize::from(bit)).copied())
                .collect();
            format!("action {}", set.join(" + "))
        })),
        (0x12, 5) => out.extend(two.map(|n| {
            let clock = match n & 0x0f {
                0 => "SEL",
                1 => "SDR",
                _ => "unknown",
            };
            let which = if n & 0x80 == 0 { "first" } else { "second" };
            format!("{which} of pair, {clock} timestamp clock")
        })),
        (0x19, 0) => out.extend(two.map(|n| format!("requested power state {n:#04x}"))),
        (0x1d, _) => out.extend(two.map(|n| pick(&RESTART_CAUSES, n & 0x0f, "restart cause"))),
        (0x21, _) => {
            let names = [
                "PCI",
                "Drive Array",
                "External Peripheral Connector",
                "Docking",
                "other standard internal expansion slot",
                "slot associated with entity",
                "AdvancedTCA",
                "DIMM/memory device",
                "FAN",
                "PCI Express",
                "SCSI (parallel)",
                "SATA / SAS",
                "USB",
            ];
            out.extend(two.map(|n| pick(&names, n & 0x7f, "slot type")));
            out.extend(three.map(|n| format!("number {n}")));
        }
        (0x23, _) => {
            if let Some(n) = two {
                let uses = ["", "BIOS FRB2", "BIOS/POST", "OS Load", "SMS/OS", "OEM"];
                let interrupts = ["no interrupt", "SMI", "NMI", "Messaging Interrupt"];
                out.push(format!("timer use {}", pick(&uses, n & 0x0f, "reserved")));
                if n >> 4 != 0x0f {
                    out.push(pick(&interrupts, n >> 4, "interrupt"));
                }
            }
        }
        (0x28, 4) => out.extend(two.map(|n| format!("event type {n:#04x}"))),
        (0x28, 5) => out.extend(two.map(|n| format!("FRU flags {n:#04x}"))),
        (0x2a, _) => {
            out.extend(
                two.filter(|n| n & 0x3f != 0)
                    .map(|n| format!("user {}", n & 0x3f)),
            );
            if let Some(n) = three {
                out.push(format!("channel {}", n & 0x0f));
                let causes = [
                    "",
                    "by Close Session command",
                    "by timeout",
                    "by configuration change",
                ];
                if offset == 1 && (n >> 4) & 0x03 != 0 {
                    out.push(pick(&causes, (n >> 4) & 0x03, "cause"));
                }
            }
        }
        (0x2b, _) => out.extend(two.map(|n| pick(&VERSION_CHANGES, n, "change type"))),
        (0x2c, _) => out.extend(two.map(|n| {
            format!(
                "previously {}, cause {}",
                crate::hal::ipmi::sensor::event::state_text(0x2c, 0x6f, n & 0x0f),
                pick(&FRU_CAUSES, n >> 4, "cause")
            )
        })),
        _ => {}
    }
    out
}

const POST_ERRORS: [&str; 14] = [
    "unspecified",
    "no system memory is physically installed",
    "no usable system memory",
    "unrecoverable hard-disk/ATAPI/IDE device failure",
    "unrecoverable system-board failure",
    "unrecoverable diskette subsystem failure",
    "unrecoverable hard-disk controller failure",
    "unrecoverable PS/2 or USB keyboard failure",
    "removable boot media not found",
    "unrecoverable video controller failure",
    "no video device detected",
    "firmware (BIOS) ROM corruption detected",
    "CPU voltage mismatch",
    "CPU speed matching failure",
];

const PROGRESS: [&str; 26] = [
    "unspecified",
    "memory initialization",
    "hard-disk initialization",
    "secondary processor(s) initialization",
    "user authentication",
    "user-initiated system setup",
    "USB resource configuration",
    "PCI resource configuration",
    "option ROM initialization",
    "video initialization",
    "cache initialization",
    "SM bus initialization",
    "keyboard controller initialization",
    "embedded controller/management controller initialization",
    "docking station attachment",
    "enabling docking station",
    "docking station ejection",
    "disabling docking station",
    "calling operating system wake-up vector",
    "starting operating system boot process",
    "baseboard or motherboard initialization",
    "",
    "floppy initialization",
    "keyboard test",
    "pointing device test",
    "primary processor initialization",
];

const RESTART_CAUSES: [&str; 12] = [
    "unknown",
    "chassis control command",
    "reset via pushbutton",
    "power-up via power pushbutton",
    "watchdog expiration",
    "OEM",
    "automatic power-up on AC being applied (always restore)",
    "automatic power-up on AC being applied (restore previous state)",
    "reset via PEF",
    "power-cycle via PEF",
    "soft reset",
    "power-up via RTC wakeup",
];

const VERSION_CHANGES: [&str; 22] = [
    "unspecified",
    "management controller device ID",
    "management controller firmware revision",
    "management controller device revision",
    "management controller manufacturer ID",
    "management controller IPMI version",
    "management controller auxiliary firmware ID",
    "management controller firmware boot block",
    "other management controller firmware",
    "system firmware (EFI/BIOS)",
    "SMBIOS",
    "operating system",
    "operating system loader",
    "service or diagnostic partition",
    "management software agent",
    "management software application",
    "management software middleware",
    "programmable hardware",
    "board/FRU module",
    "board/FRU component",
    "board/FRU replaced with equivalent version",
    "board/FRU replaced with newer version",
];

const FRU_CAUSES: [&str; 16] = [
    "normal state change",
    "change commanded by software external to FRU",
    "state change due to operator changing a handle latch",
    "state change due to operator pressing the hot-swap push button",
    "state change due to FRU programmatic action",
    "communication lost",
    "communication lost due to local failure",
    "state change due to unexpected extraction",
    "state change due to operator intervention/update",
    "unable to compute IPMB address",
    "unexpected deactivation",
    "",
    "",
    "",
    "",
    "state change, cause unknown",
];
