//! The two ioctls of `/dev/ipmi0` (`<linux/ipmi.h>`): send a command, receive a message. All unsafe code of the
//! transport is here.
#![expect(unsafe_code, reason = "ioctls with pointers to buffers")]

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::{offset_of, size_of, size_of_val};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::device::{Address, Device, Incoming, MAX_MESSAGE, Outgoing};
use crate::hal::model::BoxFuture;

/// `IPMI_SYSTEM_INTERFACE_ADDR_TYPE`.
const SYSTEM_INTERFACE: i32 = 0x0c;
/// `IPMI_IPMB_ADDR_TYPE`.
const IPMB: i32 = 0x01;
/// `IPMI_BMC_CHANNEL`.
const BMC_CHANNEL: i16 = 0x0f;

/// `struct ipmi_msg`.
#[repr(C)]
struct Msg {
    netfn: u8,
    cmd: u8,
    data_len: u16,
    data: *mut u8,
}

/// `struct ipmi_req`.
#[repr(C)]
struct Req {
    addr: *mut u8,
    addr_len: u32,
    msgid: libc::c_long,
    msg: Msg,
}

/// `struct ipmi_recv`.
#[repr(C)]
struct Recv {
    kind: i32,
    addr: *mut u8,
    addr_len: u32,
    msgid: libc::c_long,
    msg: Msg,
}

/// `struct ipmi_system_interface_addr`; an IPMB address has its slave address in `first` and its LUN in `second`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Addr {
    kind: i32,
    channel: i16,
    first: u8,
    second: u8,
}

const fn ioc(direction: u32, number: u32, size: usize) -> u32 {
    direction << 30 | (size as u32) << 16 | (b'i' as u32) << 8 | number
}

/// `_IOR('i', 13, struct ipmi_req)`.
const SEND_COMMAND: u32 = ioc(2, 13, size_of::<Req>());
/// `_IOWR('i', 11, struct ipmi_recv)`.
const RECEIVE_MSG_TRUNC: u32 = ioc(3, 11, size_of::<Recv>());

// The kernel's layout: what these structures must look like there.
const _: () = {
    assert!(size_of::<Addr>() == 8);
    assert!(offset_of!(Addr, channel) == 4 && offset_of!(Addr, first) == 6);
    assert!(offset_of!(Msg, cmd) == 1 && offset_of!(Msg, data_len) == 2);
    assert!(offset_of!(Msg, data) == size_of::<usize>());
};
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<Msg>() == 16 && size_of::<Req>() == 40 && size_of::<Recv>() == 48);
    assert!(offset_of!(Req, addr_len) == 8 && offset_of!(Req, msgid) == 16);
    assert!(offset_of!(Req, msg) == 24);
    assert!(offset_of!(Recv, addr) == 8 && offset_of!(Recv, addr_len) == 16);
    assert!(offset_of!(Recv, msgid) == 24 && offset_of!(Recv, msg) == 32);
    assert!(SEND_COMMAND == 0x8028_690d && RECEIVE_MSG_TRUNC == 0xc030_690b);
};

/// An open IPMI device, with the runtime watching it.
pub(super) struct IpmiDevice(AsyncFd<File>);

impl IpmiDevice {
    /// Opens the device; has to be called inside a runtime.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)?;
        // SAFETY: the descriptor is owned by `file`, which the AsyncFd owns, and is only used through it: it stays the
        // same and open as long as it is registered.
        let registered = unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) };
        registered
            .map(Self)
            .map_err(|_| io::Error::other("it is no device that can be waited for"))
    }
}

impl Device for IpmiDevice {
    fn send(&self, message: &Outgoing<'_>) -> io::Result<()> {
        let mut addr = match message.to {
            Address::Bmc { lun } => Addr {
                kind: SYSTEM_INTERFACE,
                channel: BMC_CHANNEL,
                first: lun,
                second: 0,
            },
            Address::Ipmb {
                channel,
                slave,
                lun,
            } => Addr {
                kind: IPMB,
                channel: i16::from(channel),
                first: slave,
                second: lun,
            },
        };
        let data_len =
            u16::try_from(message.data.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut req = Req {
            addr: (&raw mut addr).cast(),
            addr_len: size_of::<Addr>() as u32,
            msgid: message.id as libc::c_long,
            msg: Msg {
                netfn: message.netfn,
                cmd: message.cmd,
                data_len,
                // The kernel only reads what it is given here.
                data: message.data.as_ptr().cast_mut(),
            },
        };
        // SAFETY: SEND_COMMAND carries the size of Req and the layout is asserted above. `req` points to `addr` and to
        // `message.data`, which live until the call returns, with their true lengths; the kernel copies both and writes to
        // neither.
        let result = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                SEND_COMMAND as libc::Ioctl,
                &raw mut req,
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    fn receive(&self) -> io::Result<Incoming> {
        // Room for any address (`struct ipmi_addr` has 40 bytes), aligned.
        let mut addr = [0u64; 8];
        let mut data = [0u8; MAX_MESSAGE];
        let mut recv = Recv {
            kind: 0,
            addr: addr.as_mut_ptr().cast(),
            addr_len: size_of_val(&addr) as u32,
            msgid: 0,
            msg: Msg {
                netfn: 0,
                cmd: 0,
                data_len: MAX_MESSAGE as u16,
                data: data.as_mut_ptr(),
            },
        };
        // SAFETY: RECEIVE_MSG_TRUNC carries the size of Recv and the layout is asserted above. The kernel writes at most
        // `addr_len` bytes to `addr` and `data_len` bytes to `data`, which both live on this stack with these sizes.
        let result = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                RECEIVE_MSG_TRUNC as libc::Ioctl,
                &raw mut recv,
            )
        };
        let truncated = if result < 0 {
            let error = io::Error::last_os_error();
            // The message was longer than any IPMI message; the kernel has taken it off its queue and given the beginning.
            if error.raw_os_error() != Some(libc::EMSGSIZE) {
                return Err(error);
            }
            true
        } else {
            false
        };
        let length = usize::from(recv.msg.data_len).min(MAX_MESSAGE);
        Ok(Incoming {
            kind: recv.kind,
            id: recv.msgid as i64,
            netfn: recv.msg.netfn,
            cmd: recv.msg.cmd,
            data: data.get(..length).unwrap_or_default().to_vec(),
            truncated,
        })
    }

    fn readable(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            // Cleared before the next look, never after it: what comes in between sets it again.
            self.0.readable().await?.clear_ready();
            Ok(())
        })
    }
}
