//! `raw NETFN CMD [BYTES]`.

use clap::{Arg, ArgMatches};
use serde_json::json;

use crate::applets::bmc::operation::{Done, Operation, Work, col, work};
use crate::applets::common::exit::Failure;
use crate::hal::Result;
use crate::hal::ipmi::cmd::CompletionCode;

/// Longest request data: what the largest IPMI 2.0 payload leaves.
const LIMIT: usize = 1024;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    path: &["raw"],
    name: "raw",
    about: "Send any IPMI command, once",
    writes: true,
    args: |command| {
        command
            .arg(
                Arg::new("netfn")
                    .value_name("NETFN")
                    .required(true)
                    .value_parser(byte)
                    .help("Network function, e.g. 0x06"),
            )
            .arg(
                Arg::new("cmd")
                    .value_name("CMD")
                    .required(true)
                    .value_parser(byte)
                    .help("Command, e.g. 0x01"),
            )
            .arg(
                Arg::new("bytes")
                    .value_name("BYTES")
                    .num_args(0..)
                    .value_parser(byte)
                    .help("Request data: 0x20 or 32, blanks between the bytes"),
            )
    },
    plan,
    columns: &[col("CODE", "completion_code"), col("DATA", "data")],
}];

/// `0x1f` or `31`, as ipmitool takes them.
fn byte(text: &str) -> Result<u8, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u8::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("'{text}' is no byte (write 0x1f or 31)"))
}

fn plan(m: &ArgMatches) -> Result<Work, Failure> {
    let one = |name| m.get_one::<u8>(name).copied().unwrap_or(0);
    let (netfn, cmd) = (one("netfn"), one("cmd"));
    if netfn > 0x3f || netfn % 2 != 0 {
        return Err(Failure::usage(format!(
            "raw: {netfn:#04x} is no network function of a request (even, up to 0x3e)"
        )));
    }
    let data: Vec<u8> = m
        .get_many::<u8>("bytes")
        .unwrap_or_default()
        .copied()
        .collect();
    if data.len() > LIMIT {
        return Err(Failure::usage(format!(
            "raw: {} bytes; {LIMIT} at most",
            data.len()
        )));
    }
    Ok(work(move |job| {
        let data = data.clone();
        Box::pin(async move {
            let reply = job
                .bmc
                .raw
                .call("raw", |r| r.raw(&job.cx, netfn, cmd, data.clone()))
                .await?;
            let code = CompletionCode(reply.value.completion_code);
            let mut done = Done::of(reply.map(|r| {
                let data: Vec<String> = r.data.iter().map(|b| format!("{b:02x}")).collect();
                json!({ "completion_code": format!("{:02x}", r.completion_code), "data": data.join(" ") })
            }))?;
            if !code.is_ok() {
                done.failed = Some(code.to_error("raw"));
            }
            Ok(done)
        })
    }))
}
