//! Accounts of the BMC (§22.26 to §22.31), with the rules that vendors have for names and passwords.

use std::sync::Arc;

use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::model::Secret;
use crate::hal::sim::profile::{NameRule, PasswordRule, UserRules};

/// One account.
#[derive(Debug, Clone)]
pub struct User {
    /// Name, filled up with zeroes.
    pub name: [u8; 16],
    /// Password.
    pub password: Secret,
    /// It was set as 20 bytes.
    pub long_password: bool,
    /// May log in.
    pub enabled: bool,
    /// Bits 6..4 of Set User Access: callback only, link authentication, IPMI messaging.
    pub access: u8,
    /// Privilege limit on the LAN channel; 0x0f = none.
    pub limit: u8,
    /// Sessions at once; 0 = no limit.
    pub sessions: u8,
    /// Standard payloads that it may use (bit 1 = SOL), and OEM ones.
    pub payloads: [u8; 4],
}

/// No access to the channel.
pub const NO_ACCESS: u8 = 0x0f;
/// Access bit: IPMI messaging.
pub const MESSAGING: u8 = 0x10;

impl User {
    /// An empty slot.
    fn empty() -> Self {
        Self {
            name: [0; 16],
            password: Secret::new(Vec::new()),
            long_password: false,
            enabled: false,
            access: 0,
            limit: NO_ACCESS,
            sessions: 0,
            payloads: [0x02, 0, 0, 0],
        }
    }

    /// The name without the zeroes.
    pub fn trimmed(&self) -> &[u8] {
        let end = self.name.iter().position(|b| *b == 0);
        self.name
            .get(..end.unwrap_or(self.name.len()))
            .unwrap_or_default()
    }
}

/// All accounts of a BMC; shared with other BMCs until changed.
#[derive(Debug, Clone)]
pub struct Users(Arc<Vec<User>>);

impl Users {
    /// Slots as the rules have them, with one administrator.
    pub fn new(rules: &UserRules, admin: &str, password: &Secret) -> Self {
        let mut all: Vec<User> = (0..rules.slots).map(|_| User::empty()).collect();
        if let Some(user) = usize::from(rules.admin)
            .checked_sub(1)
            .and_then(|i| all.get_mut(i))
        {
            for (to, from) in user.name.iter_mut().zip(admin.bytes()) {
                *to = from;
            }
            user.password = password.clone();
            user.long_password = password.len() > 16;
            user.enabled = true;
            user.access = MESSAGING;
            user.limit = 4;
        }
        Self(Arc::new(all))
    }

    /// Number of slots.
    pub fn slots(&self) -> u8 {
        self.0.len() as u8
    }

    /// The account in slot `id`, from 1.
    pub fn get(&self, id: u8) -> Option<&User> {
        self.0.get(usize::from(id & 0x3f).checked_sub(1)?)
    }

    /// The account in slot `id`, to be changed.
    pub fn get_mut(&mut self, id: u8) -> Option<&mut User> {
        let index = usize::from(id & 0x3f).checked_sub(1)?;
        Arc::make_mut(&mut self.0).get_mut(index)
    }

    /// Makes slot `id` empty.
    pub fn clear(&mut self, id: u8) {
        if let Some(user) = self.get_mut(id) {
            *user = User::empty();
        }
    }

    /// All accounts with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &User)> {
        (1..).zip(self.0.iter())
    }

    /// Number of accounts that may log in.
    pub fn enabled(&self) -> u8 {
        self.0.iter().filter(|u| u.enabled).count() as u8
    }

    /// Set User Name.
    pub fn rename(
        &mut self,
        rules: &UserRules,
        id: u8,
        name: [u8; 16],
    ) -> Result<(), CompletionCode> {
        let fixed = id <= rules.fixed;
        let trimmed = User {
            name,
            ..User::empty()
        };
        let trimmed = trimmed.trimmed();
        let taken = self
            .iter()
            .any(|(other, user)| other != id && !trimmed.is_empty() && user.trimmed() == trimmed);
        let user = self.get(id).ok_or(CompletionCode::OUT_OF_RANGE)?;
        if user.name == name {
            return Ok(());
        }
        if fixed || taken || !name_fits(rules.name, trimmed) {
            return Err(CompletionCode::INVALID_FIELD);
        }
        if let Some(user) = self.get_mut(id) {
            user.name = name;
        }
        Ok(())
    }

    /// Set User Password: 0 disable, 1 enable, 2 set, 3 test. `field` is the password field as sent.
    pub fn password(
        &mut self,
        rules: &UserRules,
        id: u8,
        long: bool,
        operation: u8,
        field: &[u8],
    ) -> Result<(), CompletionCode> {
        let size = if long { 20 } else { 16 };
        let wrong_size = field.len() > size
            || (rules.exact_password_field && operation >= 2 && field.len() != size);
        if wrong_size || (operation >= 2 && field.is_empty()) {
            return Err(CompletionCode::LENGTH_INVALID);
        }
        let end = field.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
        let field = field.get(..end).unwrap_or(field);
        let user = self.get_mut(id).ok_or(CompletionCode::OUT_OF_RANGE)?;
        match operation {
            0 if rules.first_stays && id == 1 => return Err(CompletionCode::INVALID_FIELD),
            0 => user.enabled = false,
            1 if rules.password_before_enable && user.password.is_empty() => {
                return Err(CompletionCode::INVALID_FIELD);
            }
            1 => user.enabled = true,
            2 if !password_fits(rules.password, field) => return Err(rules.refusal),
            2 => {
                user.password = Secret::new(field);
                user.long_password = long;
            }
            3 => {
                // 0x80: wrong password, 0x81: wrong password size.
                if user.long_password != long {
                    return Err(CompletionCode(0x81));
                }
                if user.password.expose() != field {
                    return Err(CompletionCode(0x80));
                }
            }
            _ => return Err(CompletionCode::INVALID_FIELD),
        }
        Ok(())
    }
}

fn name_fits(rule: NameRule, name: &[u8]) -> bool {
    match rule {
        NameRule::Any => true,
        NameRule::NoPath => !name.iter().any(|b| matches!(b, b'/' | b'.')),
        NameRule::Posix => {
            let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
            name.is_empty()
                || (name != b"root"
                    && name.iter().all(word)
                    && !name.first().is_some_and(u8::is_ascii_digit))
        }
    }
}

fn password_fits(rule: PasswordRule, password: &[u8]) -> bool {
    match rule {
        PasswordRule::Any => true,
        PasswordRule::AtLeast(n) => password.len() >= n,
        PasswordRule::DigitsAndSpecials => {
            password.len() >= 8
                && password.iter().any(u8::is_ascii_digit)
                && password.iter().any(u8::is_ascii_punctuation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::profile::{Profile, ProfileName};

    #[test]
    fn passwords_have_sizes_and_rules() {
        let rules = Profile::new(ProfileName::Generic).users;
        let mut users = Users::new(&rules, "admin", &Secret::new("admin"));
        assert_eq!(users.get(2).unwrap().trimmed(), b"admin");
        users
            .rename(&rules, 3, *b"metal\0\0\0\0\0\0\0\0\0\0\0")
            .unwrap();
        users
            .password(&rules, 3, true, 2, b"twenty-bytes-long-pw")
            .unwrap();
        let test = |users: &mut Users, long, pw: &[u8]| users.password(&rules, 3, long, 3, pw);
        assert_eq!(test(&mut users, true, b"twenty-bytes-long-pw"), Ok(()));
        assert_eq!(
            test(&mut users, true, b"twenty-bytes-long-xx"),
            Err(CompletionCode(0x80))
        );
        assert_eq!(
            test(&mut users, false, b"twenty-bytes-lon"),
            Err(CompletionCode(0x81))
        );
        assert_eq!(
            users.rename(&rules, 4, *b"admin\0\0\0\0\0\0\0\0\0\0\0"),
            Err(CompletionCode::INVALID_FIELD),
            "taken"
        );
        let strict = Profile::new(ProfileName::Supermicro).users;
        assert_eq!(
            users.password(&strict, 3, false, 2, b"simple"),
            Err(CompletionCode::LENGTH_EXCEEDED)
        );
        let exact = Profile::new(ProfileName::OpenBmc).users;
        assert_eq!(
            users.password(&exact, 3, false, 2, b"0123456789"),
            Err(CompletionCode::LENGTH_INVALID)
        );
    }
}
