//! Dates of ISC dhcpd.

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Seconds since 1970.
    At(u64),
    /// It does not come.
    Never,
}

impl Moment {
    /// The seconds; `None` = never.
    pub(super) fn seconds(self) -> Option<u64> {
        match self {
            Self::At(seconds) => Some(seconds),
            Self::Never => None,
        }
    }
}

/// `W YYYY/MM/DD HH:MM:SS`, `epoch N` or `never`; `None` for nonsense.
pub(super) fn isc<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Moment> {
    match words.next()? {
        "never" => Some(Moment::Never),
        "epoch" => words.next()?.parse().ok().map(Moment::At),
        weekday if weekday.len() == 1 => {
            let mut date = words.next()?.splitn(3, '/');
            let mut number = || date.next()?.parse::<u64>().ok();
            let (year, month, day) = (number()?, number()?, number()?);
            let mut time = words.next()?.splitn(3, ':');
            let mut number = || time.next()?.parse::<u64>().ok();
            let (hour, minute, second) = (number()?, number()?, number()?);
            let fits = (1970..=9999).contains(&year)
                && (1..=12).contains(&month)
                && (1..=31).contains(&day)
                && hour < 24
                && minute < 60
                && second < 61;
            fits.then(|| {
                Moment::At(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
            })
        }
        _ => None,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March, so that the leap day is the last one.
    let (y, m) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let before = y * 365 + y / 4 - y / 100 + y / 400;
    (before + (153 * m + 2) / 5 + day - 1).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Moment> {
        isc(text.split_ascii_whitespace())
    }

    #[test]
    fn dates_are_utc() {
        assert_eq!(of("4 1970/01/01 00:00:00"), Some(Moment::At(0)));
        // date -u -d '2026-11-22 17:11:52' +%s; the same of a leap day.
        assert_eq!(of("0 2026/11/22 17:11:52"), Some(Moment::At(1_795_367_512)));
        assert_eq!(of("4 2024/02/29 12:00:00"), Some(Moment::At(1_709_208_000)));
        assert_eq!(of("epoch 1795367512"), Some(Moment::At(1_795_367_512)));
        assert_eq!(of("never"), Some(Moment::Never));
        for bad in [
            "",
            "0",
            "0 2026/11",
            "0 2026/13/01 00:00:00",
            "0 2026/11/22 24:00:00",
            "soon",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
