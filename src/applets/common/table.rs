//! Tables as kubectl prints them: upper-case headers, no borders, no wrapping.

use super::output::printable;

/// How a cell is coloured on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Not at all.
    #[default]
    Plain,
    /// Green.
    Good,
    /// Yellow.
    Warn,
    /// Red.
    Bad,
}

/// One cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A coloured cell.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: printable(&text.into()).into_owned(),
            tone,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl<T: ToString> From<Option<T>> for Cell {
    /// Empty where unknown.
    fn from(value: Option<T>) -> Self {
        Self::new(
            value.map(|v| v.to_string()).unwrap_or_default(),
            Tone::Plain,
        )
    }
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    wide: bool,
    least: usize,
}

/// A column that is always shown.
pub const fn column(title: &'static str) -> Column {
    Column {
        title,
        wide: false,
        least: 0,
    }
}

/// A column that only `-o wide` shows.
pub const fn wide(title: &'static str) -> Column {
    Column {
        wide: true,
        ..column(title)
    }
}

impl Column {
    /// The same, not narrower than `width`.
    #[must_use]
    pub const fn at_least(mut self, width: usize) -> Self {
        self.least = width;
        self
    }
}

/// Rows under headers.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// Blanks between columns.
const GAP: usize = 3;

impl Table {
    /// An empty table.
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells in the order of the columns, missing ones are empty.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The text: one line per row.
    pub fn render(&self, wide: bool, headers: bool, colour: bool) -> String {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|i| wide || self.columns.get(*i).is_some_and(|c| !c.wide))
            .collect();
        let empty = Cell::default();
        let title = |i: &usize| self.columns.get(*i).map_or("", |c| c.title);
        let cell = |row: &'_ [Cell], i: usize| row.get(i).unwrap_or(&empty).clone();
        let width = |i: &usize| {
            let least = self.columns.get(*i).map_or(0, |c| c.least);
            let head = if headers {
                title(i).len().max(least)
            } else {
                0
            };
            let body = self
                .rows
                .iter()
                .map(|r| r.get(*i).map_or(0, |c| c.text.chars().count()));
            body.fold(head, usize::max)
        };
        let widths: Vec<usize> = shown.iter().map(width).collect();
        let mut lines: Vec<Vec<Cell>> = Vec::new();
        if headers {
            lines.push(shown.iter().map(|i| Cell::from(title(i))).collect());
        }
        for row in &self.rows {
            lines.push(shown.iter().map(|i| cell(row, *i)).collect());
        }
        let mut text = String::new();
        for line in lines {
            let mut pending = 0;
            for (cell, width) in line.iter().zip(&widths) {
                if !cell.text.is_empty() {
                    text.extend(std::iter::repeat_n(' ', pending));
                    pending = 0;
                    push(&mut text, cell, colour);
                }
                pending += width - cell.text.chars().count() + GAP;
            }
            text.push('\n');
        }
        text
    }
}

fn push(text: &mut String, cell: &Cell, colour: bool) {
    let code = match cell.tone {
        Tone::Plain => None,
        Tone::Good => Some("32"),
        Tone::Warn => Some("33"),
        Tone::Bad => Some("31"),
    };
    match code.filter(|_| colour) {
        None => text.push_str(&cell.text),
        Some(code) => {
            text.push_str("\x1b[");
            text.push_str(code);
            text.push('m');
            text.push_str(&cell.text);
            text.push_str("\x1b[0m");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[column("MAC"), column("IP"), wide("MS"), column("VENDOR")]);
        table.row(["27:53:57:51:6b:c8", "10.0.0.8"]);
        table.row(["x", "", "4", "Dell\x1b[2J"]);
        table
    }

    #[test]
    fn as_the_proposal_prints_it() {
        assert_eq!(
            table().render(false, true, false),
            "MAC                 IP         VENDOR\n\
             27:53:57:51:6b:c8   10.0.0.8\n\
             x                              Dell?[2J\n"
        );
    }

    #[test]
    fn wide_without_headers_and_in_colour() {
        let mut table = Table::new(&[column("A"), wide("B")]);
        table.row([Cell::new("ON", Tone::Good), Cell::from("1")]);
        assert_eq!(table.render(true, false, false), "ON   1\n");
        assert_eq!(table.render(false, false, true), "\x1b[32mON\x1b[0m\n");
    }
}
