//! Units in the specification's words (§43.17).

use crate::hal::ipmi::sdr::Units;

const NAMES: [&str; 93] = [
    "unspecified",
    "degrees C",
    "degrees F",
    "degrees K",
    "Volts",
    "Amps",
    "Watts",
    "Joules",
    "Coulombs",
    "VA",
    "Nits",
    "lumen",
    "lux",
    "Candela",
    "kPa",
    "PSI",
    "Newton",
    "CFM",
    "RPM",
    "Hz",
    "microsecond",
    "millisecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "mil",
    "inches",
    "feet",
    "cu in",
    "cu feet",
    "mm",
    "cm",
    "m",
    "cu cm",
    "cu m",
    "liters",
    "fluid ounce",
    "radians",
    "steradians",
    "revolutions",
    "cycles",
    "gravities",
    "ounce",
    "pound",
    "ft-lb",
    "oz-in",
    "gauss",
    "gilberts",
    "henry",
    "millihenry",
    "farad",
    "microfarad",
    "ohms",
    "siemens",
    "mole",
    "becquerel",
    "PPM",
    "reserved",
    "Decibels",
    "DbA",
    "DbC",
    "gray",
    "sievert",
    "color temp deg K",
    "bit",
    "kilobit",
    "megabit",
    "gigabit",
    "byte",
    "kilobyte",
    "megabyte",
    "gigabyte",
    "word",
    "dword",
    "qword",
    "line",
    "hit",
    "miss",
    "retry",
    "reset",
    "overrun / overflow",
    "underrun",
    "collision",
    "packets",
    "messages",
    "characters",
    "error",
    "correctable error",
    "uncorrectable error",
    "fatal error",
    "grams",
];

const RATES: [&str; 8] = [
    "",
    " per microsecond",
    " per millisecond",
    " per second",
    " per minute",
    " per hour",
    " per day",
    "",
];

/// The name of a unit code.
pub fn name(code: u8) -> String {
    match NAMES.get(usize::from(code)) {
        Some(name) => (*name).to_owned(),
        None => format!("unit {code:#04x}"),
    }
}

impl Units {
    /// The unit in words, e.g. `degrees C`, `percent`, `Volts/Amps`, `packets per second`; `None` when the record
    /// gives none.
    pub fn text(&self) -> Option<String> {
        let mut out = match (self.percentage, self.base) {
            (true, 0) => "percent".to_owned(),
            (true, base) => format!("percent {}", name(base)),
            (false, 0) => return None,
            (false, base) => name(base),
        };
        match self.modifier_use {
            1 => {
                out.push('/');
                out.push_str(&name(self.modifier));
            }
            2 => {
                out.push('*');
                out.push_str(&name(self.modifier));
            }
            _ => {}
        }
        out.push_str(
            RATES
                .get(usize::from(self.rate))
                .copied()
                .unwrap_or_default(),
        );
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_words() {
        let unit = |rate, modifier_use, percentage, base, modifier| {
            Units {
                rate,
                modifier_use,
                percentage,
                base,
                modifier,
            }
            .text()
        };
        assert_eq!(unit(0, 0, false, 1, 0).as_deref(), Some("degrees C"));
        assert_eq!(unit(0, 0, false, 18, 0).as_deref(), Some("RPM"));
        assert_eq!(unit(0, 0, true, 0, 0).as_deref(), Some("percent"));
        assert_eq!(unit(0, 1, false, 4, 5).as_deref(), Some("Volts/Amps"));
        assert_eq!(
            unit(3, 0, false, 85, 0).as_deref(),
            Some("packets per second")
        );
        assert_eq!(unit(0, 2, false, 46, 92).as_deref(), Some("ft-lb*grams"));
        assert_eq!(unit(0, 0, false, 200, 0).as_deref(), Some("unit 0xc8"));
        assert_eq!(unit(0, 0, false, 0, 0), None);
    }
}
