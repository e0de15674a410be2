//! Get IP/UDP/RMCP Statistics (§23.4).

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Get IP/UDP/RMCP Statistics (§23.4). It may clear what it reads, so it is no pure read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetIpUdpRmcpStatistics {
    /// Channel number (low four bits).
    pub channel: u8,
    /// Start all counters at 0 again.
    pub clear: bool,
}

/// Counters; they stop at 0xffff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IpUdpRmcpStatistics {
    /// IP packets received.
    pub ip_received: u16,
    /// IP header errors.
    pub ip_header_errors: u16,
    /// IP address errors.
    pub ip_address_errors: u16,
    /// Fragmented IP packets received.
    pub ip_fragments: u16,
    /// IP packets sent.
    pub ip_sent: u16,
    /// UDP packets received.
    pub udp_received: u16,
    /// Valid RMCP packets received.
    pub rmcp_received: u16,
    /// UDP proxy packets received.
    pub proxy_received: u16,
    /// UDP proxy packets dropped.
    pub proxy_dropped: u16,
}

impl Command for GetIpUdpRmcpStatistics {
    type Reply = IpUdpRmcpStatistics;
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Get IP/UDP/RMCP Statistics";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.channel, u8::from(self.clear)]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channel: r.u8("channel number")?,
            clear: r.u8("clear statistics")? & 0x01 != 0,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        for counter in [
            reply.ip_received,
            reply.ip_header_errors,
            reply.ip_address_errors,
            reply.ip_fragments,
            reply.ip_sent,
            reply.udp_received,
            reply.rmcp_received,
            reply.proxy_received,
            reply.proxy_dropped,
        ] {
            out.extend(counter.to_le_bytes());
        }
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(IpUdpRmcpStatistics {
            ip_received: r.u16("IP packets received")?,
            ip_header_errors: r.u16("received IP header errors")?,
            ip_address_errors: r.u16("received IP address errors")?,
            ip_fragments: r.u16("fragmented IP packets received")?,
            ip_sent: r.u16("IP packets transmitted")?,
            udp_received: r.u16("UDP packets received")?,
            rmcp_received: r.u16("valid RMCP packets received")?,
            proxy_received: r.u16("UDP proxy packets received")?,
            proxy_dropped: r.u16("UDP proxy packets dropped")?,
        })
    }
}
