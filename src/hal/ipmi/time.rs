//! Seconds to RFC 3339 text, without a clock.

/// `1970-01-01T00:00:00Z` and so on, for seconds since then.
pub fn rfc3339(unix: i64) -> String {
    let days = unix.div_euclid(86_400);
    let seconds = unix.rem_euclid(86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Days since 1970-01-01 to year, month, day of the Gregorian calendar.
///
/// Years are counted from 1 March, in eras of 400 years = 146,097 days, so that leap days come last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = match month_from_march {
        0..=9 => month_from_march + 3,
        _ => month_from_march - 9,
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A timestamp of the SEL or of an SDR repository (§37): `None` where the clock was not set: 0xffffffff is
/// unspecified, and below 0x20000000 it counts from the start of the BMC.
pub fn timestamp(seconds: u32) -> Option<String> {
    match seconds {
        0..=0x1fff_ffff | u32::MAX => None,
        _ => Some(rfc3339(i64::from(seconds))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(rfc3339(820_454_400), "1996-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_732_015_013), "2024-11-19T11:16:53Z");
        assert_eq!(rfc3339(4_294_967_294), "2106-02-07T06:28:14Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn a_clock_that_was_not_set_tells_no_time() {
        assert_eq!(timestamp(u32::MAX), None);
        assert_eq!(timestamp(0), None);
        assert_eq!(timestamp(0x1fff_ffff), None);
        assert_eq!(
            timestamp(0x2000_0000).as_deref(),
            Some("1987-01-05T18:48:32Z")
        );
    }
}
