//! Every App command once, with a reply, made of arbitrary values.

#![expect(
    clippy::many_single_char_names,
    reason = "arbitrary values have no meaning to name"
)]

use super::*;
use crate::hal::model::{Guid, MacAddr, Secret};

fn sixteen(bytes: &[u8; 20]) -> [u8; 16] {
    std::array::from_fn(|i| bytes[i])
}

/// Visits each command once, filled from `v`.
pub(super) fn every_command(v: &Values, to: &mut impl Visit) {
    device_commands(v, to);
    login_commands(v, to);
    session_commands(v, to);
    channel_commands(v, to);
    user_commands(v, to);
    payload_commands(v, to);
    other_commands(v, to);
}

fn device_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, e, ..] = v.bytes;
    let [f, g, h, ..] = v.flags;
    let id = DeviceId {
        device: a,
        revision: b & 0x0f,
        device_sdrs: f,
        updating: g,
        firmware_major: c & 0x7f,
        firmware_minor: d,
        ipmi_version: e,
        support: a,
        manufacturer: v.longs[0] & 0x00ff_ffff,
        product: v.words[0],
        auxiliary: h.then_some([a, b, c, d]),
    };
    to.visit(&GetDeviceId, &id, (0, 11));
    to.visit(&ColdReset, &(), (0, 0));
    to.visit(&WarmReset, &(), (0, 0));
    to.visit(
        &GetSelfTestResults,
        &SelfTest {
            result: a,
            detail: b,
        },
        (0, 2),
    );
    let acpi = AcpiPowerState {
        system: a & 0x7f,
        device: b & 0x7f,
    };
    to.visit(&GetAcpiPowerState, &acpi, (0, 2));
    to.visit(&GetDeviceGuid, &Guid(sixteen(&v.bytes)), (0, 16));
    to.visit(&GetSystemGuid, &Guid(sixteen(&v.bytes)), (0, 16));
}

fn login_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, ..] = v.bytes;
    let [f, g, h, i, j, k, l, m] = v.flags;
    let privilege = PrivilegeLevel(a & 0x0f);
    let channel = b & 0x0f;
    to.visit(
        &GetChannelAuthCapabilities {
            channel,
            extended: f,
            privilege,
        },
        &ChannelAuthCapabilities {
            channel,
            extended: g,
            types: AuthTypes(c & 0x7f),
            status: AuthStatus {
                kg: h,
                no_per_message_auth: i,
                no_user_level_auth: j,
                named_users: k,
                null_users: l,
                anonymous: m,
            },
            v2_0: f,
            v1_5: g,
            oem: v.longs[0] & 0x00ff_ffff,
            oem_data: d,
        },
        (2, 3),
    );
    to.visit(
        &GetChannelCipherSuites {
            channel,
            payload: c & 0x3f,
            by_suite: f,
            index: d & 0x3f,
        },
        &CipherSuiteChunk {
            channel,
            data: v.data.clone(),
        },
        (3, 1),
    );
    to.visit(
        &GetSessionChallenge {
            auth_type: channel,
            user: sixteen(&v.bytes),
        },
        &SessionChallenge {
            session: v.longs[0],
            challenge: sixteen(&v.bytes),
        },
        (17, 20),
    );
}

fn session_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, e, ..] = v.bytes;
    let [f, g, h, i, ..] = v.flags;
    let privilege = PrivilegeLevel(a & 0x0f);
    let channel = b & 0x0f;
    to.visit(
        &ActivateSession {
            auth_type: channel,
            privilege,
            challenge: sixteen(&v.bytes),
            outbound_sequence: v.longs[0],
        },
        &ActiveSession {
            auth_type: channel,
            session: v.longs[1],
            inbound_sequence: v.longs[2],
            privilege,
        },
        (22, 10),
    );
    to.visit(&SetSessionPrivilegeLevel { privilege }, &privilege, (1, 1));
    let (session, handle) = if f {
        (0, g.then_some(a))
    } else {
        (v.longs[0] | 1, None)
    };
    to.visit(&CloseSession { session, handle }, &(), (4, 0));
    let (selector, need) = match (f, g) {
        (false, false) => (SessionSelector::Present, 1),
        (false, true) => (SessionSelector::Nth(c % 0xfd + 1), 1),
        (true, false) => (SessionSelector::Handle(c), 2),
        (true, true) => (SessionSelector::Id(v.longs[0]), 5),
    };
    let peer = LanPeer {
        ip: v.longs[1].into(),
        mac: MacAddr([a, b, c, d, e, a]),
        port: v.words[0],
    };
    let entry = SessionEntry {
        user: c & 0x3f,
        privilege,
        protocol: d & 0x0f,
        channel,
        peer: h.then_some(peer),
    };
    to.visit(
        &GetSessionInfo { session: selector },
        &SessionInfo {
            handle: a,
            possible: b & 0x3f,
            active: c & 0x3f,
            entry: i.then_some(entry),
        },
        (need, 3),
    );
}

fn channel_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, ..] = v.bytes;
    let [f, g, h, i, ..] = v.flags;
    let channel = a & 0x0f;
    let stored = |x, y| match (x, y) {
        (false, false) => Stored::Neither,
        (false, true) => Stored::NonVolatile,
        (true, false) => Stored::Volatile,
        (true, true) => Stored::Both,
    };
    let access = ChannelAccess {
        alerting_disabled: f,
        no_per_message_auth: g,
        no_user_level_auth: h,
        mode: AccessMode(b & 0x07),
        limit: PrivilegeLevel(c & 0x0f),
    };
    to.visit(
        &GetChannelAccess {
            channel,
            copy: stored(f, g),
        },
        &access,
        (2, 2),
    );
    let set = SetChannelAccess {
        channel,
        settings: stored(f, g),
        limit: stored(h, i),
        access,
    };
    to.visit(&set, &(), (3, 0));
    let info = ChannelInfo {
        channel,
        medium: Medium(b & 0x7f),
        protocol: c & 0x1f,
        sessions: d & 0x03,
        active: b & 0x3f,
        vendor: v.longs[0] & 0x00ff_ffff,
        auxiliary: [c, d],
    };
    to.visit(&GetChannelInfo { channel }, &info, (1, 3));
    let key = Secret::new(v.data.clone());
    to.visit(
        &SetChannelSecurityKeys {
            channel,
            operation: b & 0x03,
            key_id: c,
            key: key.clone(),
        },
        &ChannelSecurityKey {
            lock: d & 0x03,
            key,
        },
        (3, 1),
    );
}

fn user_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, ..] = v.bytes;
    let [f, g, h, i, j, k, ..] = v.flags;
    let (channel, user) = (a & 0x0f, b & 0x3f);
    let bits = UserAccessBits {
        callback_only: f,
        link_auth: g,
        messaging: h,
    };
    let limit = PrivilegeLevel(c & 0x0f);
    let session_limit = j.then_some(d);
    to.visit(
        &SetUserAccess {
            channel,
            user,
            change_bits: i,
            bits,
            limit,
            session_limit,
        },
        &(),
        (3, 0),
    );
    let status = match (i, j) {
        (false, false) => UserStatus::Unspecified,
        (false, true) => UserStatus::Enabled,
        (true, false) => UserStatus::Disabled,
        (true, true) => UserStatus::Reserved,
    };
    let access = UserAccess {
        max_users: a & 0x3f,
        status,
        enabled_users: c & 0x3f,
        fixed_names: d & 0x3f,
        bits,
        limit,
    };
    to.visit(&GetUserAccess { channel, user }, &access, (2, 4));
    let name = UserName(sixteen(&v.bytes));
    to.visit(&SetUserName { user, name }, &(), (17, 0));
    to.visit(&GetUserName { user }, &name, (1, 16));
    let (operation, password) = match (f, g) {
        (false, false) => (PasswordOperation::Disable, None),
        (false, true) => (PasswordOperation::Enable, None),
        (true, false) => (
            PasswordOperation::Set,
            Some(Secret::new(&v.bytes[..if k { 20 } else { 16 }])),
        ),
        (true, true) => (PasswordOperation::Test, Some(Secret::new("ADMIN"))),
    };
    let need = match (&password, k) {
        (None, _) => 2,
        (Some(_), false) => 18,
        (Some(_), true) => 22,
    };
    to.visit(
        &SetUserPassword {
            user,
            operation,
            twenty: k,
            password,
        },
        &(),
        (need, 0),
    );
}

fn payload_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, e, ..] = v.bytes;
    let (payload, instance) = (a & 0x3f, b & 0x0f);
    let (channel, user) = (c & 0x0f, d & 0x3f);
    let auxiliary = [a, b, c, d];
    to.visit(
        &ActivatePayload {
            payload,
            instance,
            auxiliary,
        },
        &PayloadActivated {
            auxiliary,
            inbound_size: v.words[0],
            outbound_size: v.words[1],
            port: v.words[2],
            vlan: v.words[3],
        },
        (6, 10),
    );
    to.visit(
        &DeactivatePayload {
            payload,
            instance,
            auxiliary,
        },
        &(),
        (6, 0),
    );
    to.visit(
        &GetPayloadActivationStatus { payload },
        &PayloadActivationStatus {
            capacity: e & 0x0f,
            active: v.words[0],
        },
        (1, 3),
    );
    to.visit(
        &GetPayloadInstanceInfo { payload, instance },
        &PayloadInstanceInfo {
            session: v.longs[0],
            specific: [a, b, c, d, e, a, b, c],
        },
        (2, 4),
    );
    let types = PayloadTypes {
        standard: v.words[0],
        oem: v.words[1],
    };
    to.visit(
        &SetUserPayloadAccess {
            channel,
            user,
            operation: e & 0x03,
            types,
        },
        &(),
        (6, 0),
    );
    to.visit(&GetUserPayloadAccess { channel, user }, &types, (2, 2));
    let support = ChannelPayloadSupport {
        types,
        session_setup: v.words[2],
    };
    to.visit(&GetChannelPayloadSupport { channel }, &support, (1, 6));
}

fn other_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, e, ..] = v.bytes;
    let [f, g, ..] = v.flags;
    let timer = WatchdogTimer {
        no_log: f,
        running: g,
        usage: a & 0x07,
        pre_action: b & 0x07,
        action: c & 0x07,
        pre_interval: d,
        expired: e,
        countdown: v.words[0],
    };
    to.visit(&ResetWatchdogTimer, &(), (0, 0));
    to.visit(&SetWatchdogTimer { timer }, &(), (6, 0));
    to.visit(
        &GetWatchdogTimer,
        &WatchdogState {
            timer,
            present: v.words[1],
        },
        (0, 8),
    );
    to.visit(
        &GetSystemInfoParameters {
            revision_only: f,
            parameter: a,
            set: b,
            block: c,
        },
        &SystemInfoParameter {
            revision: d,
            data: v.data.clone(),
        },
        (4, 1),
    );
    to.visit(&GetBmcGlobalEnables, &GlobalEnables(a), (0, 1));
}
