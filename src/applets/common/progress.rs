//! A progress line on stderr, shown only to a person.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Counts what is done of a known total.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    /// 0: nobody knows.
    total: u64,
    word: &'static str,
    done: u64,
    failed: u64,
    last: Option<Instant>,
}

impl Progress {
    /// A bar for `total` steps; nothing is drawn unless stderr is a terminal and there are several steps.
    pub fn new(total: u64) -> Self {
        Self {
            shown: total > 1 && io::stderr().is_terminal(),
            total,
            word: "done",
            done: 0,
            failed: 0,
            last: None,
        }
    }

    /// A count of steps whose number nobody knows beforehand.
    pub fn counting(word: &'static str) -> Self {
        let mut progress = Self::new(0);
        progress.shown = io::stderr().is_terminal();
        progress.word = word;
        progress
    }

    /// One step is done.
    pub fn step(&mut self, ok: bool) {
        self.done += 1;
        self.failed += u64::from(!ok);
        let due = self
            .last
            .is_none_or(|at| at.elapsed() >= Duration::from_millis(100));
        if self.shown && due {
            self.last = Some(Instant::now());
            let _ = write!(io::stderr(), "\r{}", self.line());
        }
    }

    fn line(&self) -> String {
        const WIDTH: u64 = 30;
        if self.total == 0 {
            return format!("{} {} ", self.done, self.word);
        }
        let full = (self.done * WIDTH)
            .checked_div(self.total)
            .unwrap_or(WIDTH)
            .min(WIDTH);
        let bar: String = (0..WIDTH)
            .map(|i| if i < full { '#' } else { '.' })
            .collect();
        format!(
            "[{bar}] {}/{}, {} failed ",
            self.done, self.total, self.failed
        )
    }

    /// Takes the line away, before the result is printed.
    pub fn clear(&mut self) {
        if self.shown && self.last.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_the_share() {
        let mut p = Progress::new(4);
        p.shown = false;
        p.step(true);
        p.step(false);
        assert_eq!(p.line(), "[###############...............] 2/4, 1 failed ");
        let mut counting = Progress::counting("found");
        counting.shown = false;
        counting.step(true);
        assert_eq!(counting.line(), "1 found ");
    }
}
