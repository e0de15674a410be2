//! Transport commands: LAN configuration and statistics (§23), serial over LAN configuration (§26).

mod lan;
mod lan_parameter;
mod sol;
mod statistics;

pub use lan::{GetLanConfigurationParameters, LanConfiguration, SetLanConfigurationParameters};
pub use lan_parameter::{
    CipherSuiteEntries, CipherSuitePrivileges, Community, IpSource, Ipv6AddressEntry, LanParameter,
    VlanTag, lan_selector,
};
pub use sol::{
    GetSolConfigurationParameters, SetSolConfigurationParameters, SolConfiguration, SolParameter,
    sol_selector,
};
pub use statistics::{GetIpUdpRmcpStatistics, IpUdpRmcpStatistics};

#[cfg(test)]
mod tests;
