//! What firmware writes where nobody filled a field in.

/// Texts that say nothing, lower case.
const FILLERS: &[&str] = &[
    "to be filled by o.e.m.",
    "to be filled by o.e.m",
    "default string",
    "not specified",
    "not available",
    "notavailable",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "unknown",
    "empty",
    "oem",
    "system serial number",
    "chassis serial number",
    "base board serial number",
    "system product name",
    "system manufacturer",
    "undefined",
    "<out of spec>",
];

/// The text without blanks around it; `None` where it is blank, a filler, or a variable that nobody replaced.
pub(crate) fn meaningful(text: &str) -> Option<&str> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    let lower = text.to_ascii_lowercase();
    let counted = "01234567890123456789ab";
    let filler = FILLERS.contains(&lower.as_str())
        || text.starts_with('$')
        || text
            .chars()
            .all(|c| matches!(c, '0' | '-' | '.' | ' ' | '_'))
        || text.chars().all(|c| matches!(c, 'x' | 'X'))
        || (lower.len() >= 8 && counted.starts_with(&lower))
        || (lower.len() >= 9 && "123456789012345678901234567890".starts_with(&lower));
    (!filler).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_nothing() {
        for text in [
            "",
            "          ",
            "To be filled by O.E.M.",
            "Default string",
            "N/A",
            "00000000000000",
            "01234567890123456789AB",
            "01234567",
            "123456789",
            "$PRODUCT_MANUFACTURER",
            "XXXXXXXX",
            "\0\0",
        ] {
            assert_eq!(meaningful(text), None, "{text:?}");
        }
        for text in [
            "F54P1G3",
            " X11DPT-B ",
            "000000000001",
            "0WMWCRA01",
            "Node 0",
        ] {
            assert_eq!(meaningful(text), Some(text.trim()));
        }
    }
}
