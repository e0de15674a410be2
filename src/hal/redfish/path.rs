//! Links as BMCs write them, made into paths on the same BMC. Whatever leads elsewhere is no link.

/// Longest link that is taken.
const MAX_LINK: usize = 2048;

/// The service root.
pub const ROOT: &str = "/redfish/v1/";

/// A link as a path to ask `origin` (`scheme://host:port`) for: absolute URLs of the same origin lose it, a fragment that
/// points into the document is cut, another `#` is part of the name and becomes `%23`. `None` for links to other hosts,
/// and for anything that is no link.
pub fn clean(link: &str, origin: &str) -> Option<String> {
    let link = link.trim();
    if link.is_empty() || link.len() > MAX_LINK {
        return None;
    }
    let path = if has_scheme(link) {
        own(link, origin)?
    } else {
        link
    };
    path_of(path)
}

/// The path of a `Location` that the BMC gave us for what it just made. BMCs behind address translation write their own
/// idea of their address there; only the path is used, and only on the BMC that we talk to.
pub fn location(link: &str) -> Option<String> {
    let link = link.trim();
    if link.len() > MAX_LINK {
        return None;
    }
    let path = match link.split_once("://") {
        Some((scheme, rest)) if is_http(scheme) => rest.get(rest.find('/')?..)?,
        _ => link,
    };
    path_of(path)
}

/// Do two paths name the same resource? BMCs link with other case and with trailing slashes.
pub fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/')
        .eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// One spelling for all of [`same`].
pub(super) fn key(path: &str) -> String {
    path.trim_end_matches('/').to_ascii_lowercase()
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

fn has_scheme(link: &str) -> bool {
    // A colon before the first slash: `https://…`, but also `mailto:` and `javascript:`.
    link.split('/').next().is_some_and(|s| s.contains(':'))
}

/// What follows our own origin.
fn own<'a>(link: &'a str, origin: &str) -> Option<&'a str> {
    if origin.is_empty() {
        return None;
    }
    let short = match origin.split_once("://") {
        Some((s, rest)) if s.eq_ignore_ascii_case("https") => {
            rest.strip_suffix(":443").map(|r| format!("https://{r}"))
        }
        Some((_, rest)) => rest.strip_suffix(":80").map(|r| format!("http://{r}")),
        None => None,
    };
    let rest = strip(link, origin).or_else(|| strip(link, &short?))?;
    // The default port may also be written where our origin leaves it out.
    let rest = if origin.starts_with("https") {
        rest.strip_prefix(":443").unwrap_or(rest)
    } else {
        rest.strip_prefix(":80").unwrap_or(rest)
    };
    rest.starts_with('/').then_some(rest)
}

fn strip<'a>(link: &'a str, prefix: &str) -> Option<&'a str> {
    let start = link.get(..prefix.len())?;
    if start.eq_ignore_ascii_case(prefix) {
        link.get(prefix.len()..)
    } else {
        None
    }
}

fn path_of(path: &str) -> Option<String> {
    let (path, fragment) = match path.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (path, None),
    };
    let trimmed = path.trim_start_matches('/');
    let leading = path.len() - trimmed.len();
    // "//host/…" is another host to a URL parser; "//redfish" is a slip.
    let inside = trimmed
        .get(..7)
        .is_some_and(|s| s.eq_ignore_ascii_case("redfish"));
    if trimmed.is_empty() || (leading != 1 && !inside) {
        return None;
    }
    let mut out = String::with_capacity(trimmed.len() + 1);
    out.push('/');
    push(&mut out, trimmed)?;
    match fragment {
        Some(part) if !part.is_empty() && !part.starts_with('/') => {
            out.push_str("%23");
            push(&mut out, part)?;
        }
        _ => {}
    }
    let steps_up = out
        .split(['?'])
        .next()
        .is_some_and(|p| p.split('/').any(|segment| segment == ".."));
    // Escaped it may be longer than what came.
    (!steps_up && out.len() <= MAX_LINK).then_some(out)
}

/// Appends what may stand in a request line; the rest is escaped, control characters are refused.
fn push(out: &mut String, text: &str) -> Option<()> {
    for byte in text.bytes() {
        match byte {
            0..0x20 | 0x7f | b'\\' => return None,
            b' ' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^' | b'#' | 0x80.. => {
                out.push('%');
                for digit in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(u32::from(digit), 16)?.to_ascii_uppercase());
                }
            }
            _ => out.push(char::from(byte)),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://10.0.0.7:443";

    #[test]
    fn links_of_the_same_bmc_become_paths() {
        for (link, path) in [
            ("/redfish/v1/Systems/1", "/redfish/v1/Systems/1"),
            ("/redfish/v1/systems/1/", "/redfish/v1/systems/1/"),
            ("//redfish/v1/Systems", "/redfish/v1/Systems"),
            ("redfish/v1/Systems", "/redfish/v1/Systems"),
            ("https://10.0.0.7/redfish/v1/Chassis", "/redfish/v1/Chassis"),
            (
                "HTTPS://10.0.0.7:443/redfish/v1/Chassis",
                "/redfish/v1/Chassis",
            ),
            (
                "/redfish/v1/Chassis/1/Thermal#/Fans/0",
                "/redfish/v1/Chassis/1/Thermal",
            ),
            ("/redfish/v1/M/iDRAC%23NIC.1", "/redfish/v1/M/iDRAC%23NIC.1"),
            ("/redfish/v1/M/iDRAC#NIC.1", "/redfish/v1/M/iDRAC%23NIC.1"),
            (
                "/redfish/v1/C/1/NetworkAdapters//Ports/0",
                "/redfish/v1/C/1/NetworkAdapters//Ports/0",
            ),
            ("/redfish/v1/Logs?$skip=50", "/redfish/v1/Logs?$skip=50"),
            (" /redfish/v1/A B ", "/redfish/v1/A%20B"),
            ("/redfish/v1/\u{e4}", "/redfish/v1/%C3%A4"),
        ] {
            assert_eq!(clean(link, ORIGIN).as_deref(), Some(path), "{link}");
        }
        let long = format!("/redfish/v1/{}", "\u{fffd}".repeat(MAX_LINK / 9));
        assert_eq!(clean(&long, ORIGIN), None, "too long once it is escaped");
        assert_eq!(
            clean("https://10.0.0.7:443/redfish/v1", "https://10.0.0.7").as_deref(),
            Some("/redfish/v1")
        );
    }

    #[test]
    fn links_elsewhere_are_none() {
        for link in [
            "",
            "/",
            "//",
            "https://10.0.0.8/redfish/v1/",
            "http://10.0.0.7/redfish/v1/",
            "https://10.0.0.7:8443/redfish/v1/",
            "https://10.0.0.7.example/redfish/v1/",
            "https://10.0.0.7@example/redfish/v1/",
            "//example.org/redfish/v1/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "Systems/1",
            "/redfish/../etc/passwd",
            "/redfish/v1/\r\nHost: x",
            "/redfish\\v1",
        ] {
            assert_eq!(clean(link, ORIGIN), None, "{link}");
        }
    }

    #[test]
    fn locations_are_taken_by_their_path() {
        assert_eq!(
            location("https://bmc.example/redfish/v1/S/1").as_deref(),
            Some("/redfish/v1/S/1")
        );
        assert_eq!(
            location("/redfish/v1/S/1").as_deref(),
            Some("/redfish/v1/S/1")
        );
        assert_eq!(location("https://bmc.example"), None);
        assert_eq!(location("ftp://bmc.example/x"), None);
    }
}
