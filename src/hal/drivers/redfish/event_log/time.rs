//! Times as BMCs write them: `2024-06-11T00:13:00-05:00`, `…Z`, `….123+00:00`.

/// Seconds since 1970 in UTC; `None` for what is no time, and for clocks that were never set.
pub(super) fn unix(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (clock, offset) = zone(rest)?;
    let mut clock = clock.splitn(3, ':');
    let hour: i64 = clock.next()?.parse().ok()?;
    let minute: i64 = clock.next()?.parse().ok()?;
    let second = clock.next().unwrap_or("0");
    let second: i64 = second.split('.').next()?.parse().ok()?;
    // Below 2000 a BMC counts from its own start: that is no time of an event.
    let fits = (2000..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    fits.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// Time of day, and the seconds that its zone is ahead of UTC.
fn zone(rest: &str) -> Option<(&str, i64)> {
    let rest = rest.trim();
    if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = rest.rfind(['+', '-']) else {
        return Some((rest, 0));
    };
    let (clock, offset) = (rest.get(..at)?, rest.get(at + 1..)?);
    let (hours, minutes) = match offset.split_once(':') {
        Some(pair) => pair,
        None if offset.len() == 4 => (offset.get(..2)?, offset.get(2..)?),
        None => (offset, "0"),
    };
    let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
    if !(0..=86_400).contains(&seconds) {
        return None;
    }
    let ahead = rest.as_bytes().get(at) == Some(&b'+');
    Some((clock, if ahead { seconds } else { -seconds }))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from 1 March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_makes() {
        // date -u -d … +%s
        for (text, want) in [
            ("2024-06-11T00:13:00-05:00", Some(1_718_082_780)),
            ("2024-06-11T05:13:00Z", Some(1_718_082_780)),
            ("2024-07-18T22:00:55.851+00:00", Some(1_721_340_055)),
            ("2020-02-29T23:59:59+0530", Some(1_583_000_999)),
            ("2022-03-09 20:02:22", Some(1_646_856_142)),
            ("1970-01-01T00:00:10Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("[Not Set]", None),
            ("", None),
            ("T", None),
        ] {
            assert_eq!(unix(text), want, "{text}");
        }
    }
}
