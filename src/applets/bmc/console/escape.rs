//! Escapes at the beginning of a line, as in ssh: `~.` leaves, `~B` sends a break, `~W` takes over the writing, `~?`
//! helps, `~~` is a tilde.

/// What was typed, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// For the host.
    Data(Vec<u8>),
    /// Send a break.
    Break,
    /// Write from now on.
    TakeOver,
    /// Show the help.
    Help,
    /// Leave.
    Quit,
}

/// Where in a line the typist is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Begin,
    Tilde,
    Middle,
}

/// Finds escapes in what is typed.
#[derive(Debug)]
pub(super) struct Escapes(At);

impl Default for Escapes {
    fn default() -> Self {
        Self(At::Begin)
    }
}

impl Escapes {
    /// Takes typed characters apart; a tilde at the beginning of a line waits for what follows it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut out = Vec::new();
        let mut data = Vec::new();
        for &byte in bytes {
            let word = match (self.0, byte) {
                (At::Begin, b'~') => {
                    self.0 = At::Tilde;
                    continue;
                }
                (At::Tilde, b'.') => Some(Typed::Quit),
                (At::Tilde, b'B') => Some(Typed::Break),
                (At::Tilde, b'W') => Some(Typed::TakeOver),
                (At::Tilde, b'?') => Some(Typed::Help),
                (At::Tilde, b'~') => None,
                // It was none: the tilde is for the host as well.
                (At::Tilde, _) => {
                    data.push(b'~');
                    None
                }
                _ => None,
            };
            self.0 = At::Middle;
            if let Some(word) = word {
                if !data.is_empty() {
                    out.push(Typed::Data(std::mem::take(&mut data)));
                }
                self.0 = At::Begin;
                out.push(word);
                continue;
            }
            if matches!(byte, b'\r' | b'\n') {
                self.0 = At::Begin;
            }
            data.push(byte);
        }
        if !data.is_empty() {
            out.push(Typed::Data(data));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Typed {
        Typed::Data(text.as_bytes().to_vec())
    }

    #[test]
    fn only_at_the_beginning_of_a_line() {
        let mut escapes = Escapes::default();
        assert_eq!(escapes.take(b"~."), [Typed::Quit]);
        assert_eq!(
            escapes.take(b"a~.\r~B~?~W"),
            [data("a~.\r"), Typed::Break, Typed::Help, Typed::TakeOver]
        );
        assert_eq!(escapes.take(b"~~.\n"), [data("~.\n")]);
        assert_eq!(escapes.take(b"~x~."), [data("~x~.")]);
    }

    #[test]
    fn across_reads() {
        let mut escapes = Escapes::default();
        assert_eq!(escapes.take(b"ls\r~"), [data("ls\r")]);
        assert_eq!(escapes.take(b"B"), [Typed::Break]);
        assert_eq!(escapes.take(b"~"), []);
        assert_eq!(escapes.take(b"/bin"), [data("~/bin")]);
    }
}
