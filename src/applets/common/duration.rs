//! Durations on the command line: `30s`, `500ms`, `2m`, `1h30m`, `1.5s`.

use std::time::Duration;

/// Longest duration that is accepted: 30 days.
const LIMIT: Duration = Duration::from_hours(720);

/// Parses a duration greater than zero.
pub fn parse(text: &str) -> Result<Duration, String> {
    let bad = || format!("'{text}' is no duration (write 500ms, 30s, 2m or 1h)");
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let scale = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(bad()),
        };
        let seconds = number.parse::<f64>().map_err(|_| bad())? * scale;
        let part = Duration::try_from_secs_f64(seconds).map_err(|_| bad())?;
        total = total
            .checked_add(part)
            .filter(|t| *t <= LIMIT)
            .ok_or_else(|| format!("'{text}' is too long (30 days at most)"))?;
        rest = tail;
    }
    if total.is_zero() {
        return Err(bad());
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_sums() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_mins(90)));
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "",
            "30",
            "s",
            "-1s",
            "0s",
            "1d",
            "1s!",
            "1..5s",
            "999999999999h",
            "1e3s",
            "ä",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
