//! Comma-separated values: quotes, doubled quotes, line ends within quotes; also with semicolons or tabs.

/// A record and the line where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: usize,
    pub(super) cells: Vec<String>,
}

/// Reads a file. What separates the cells is seen in its first line. Empty lines and comments (`#`) are left out.
pub(super) fn read(text: &str) -> Result<Vec<Line>, (usize, String)> {
    let head = text
        .lines()
        .find(|l| !l.trim().is_empty() && !l.starts_with('#'))
        .unwrap_or_default();
    let separator = [';', '\t', ',']
        .into_iter()
        .max_by_key(|c| head.matches(*c).count())
        .unwrap_or(',');
    let mut out = Vec::new();
    let mut number = 1;
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let begins = number;
        let mut cells = Vec::new();
        let mut cell = String::new();
        let mut quoted = false;
        // A cell that was quoted is taken as it stands; others lose their blanks.
        let mut was_quoted = false;
        loop {
            match chars.next() {
                None if quoted => return Err((begins, "a quote is not closed".to_owned())),
                Some('"') if quoted => {
                    if chars.peek() == Some(&'"') {
                        chars.next();
                        cell.push('"');
                    } else {
                        quoted = false;
                    }
                }
                Some('"') if cell.trim().is_empty() && !was_quoted => {
                    cell.clear();
                    quoted = true;
                    was_quoted = true;
                }
                Some(c) if quoted => {
                    number += usize::from(c == '\n');
                    cell.push(c);
                }
                Some(c) if c == separator => {
                    cells.push(finish(&mut cell, was_quoted));
                    was_quoted = false;
                }
                Some('\n') | None => {
                    cells.push(finish(&mut cell, was_quoted));
                    number += 1;
                    break;
                }
                Some(c) if was_quoted && !c.is_whitespace() => {
                    return Err((number, format!("'{c}' behind a closed quote")));
                }
                Some(c) if !was_quoted => cell.push(c),
                Some(_) => {}
            }
        }
        let empty = cells.iter().all(String::is_empty);
        let comment = cells.first().is_some_and(|c| c.starts_with('#'));
        if !empty && !comment {
            out.push(Line {
                number: begins,
                cells,
            });
        }
    }
    Ok(out)
}

fn finish(cell: &mut String, quoted: bool) -> String {
    let text = std::mem::take(cell);
    if quoted { text } else { text.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(usize, Vec<String>)> {
        let lines = read(text).unwrap();
        lines.into_iter().map(|l| (l.number, l.cells)).collect()
    }

    #[test]
    fn quotes_and_separators() {
        let text = "mac,password\r\n# old ones\r\n\r\na, \"x,\"\"y\"\nb,\"two\nlines\"\nc,z";
        assert_eq!(
            cells(text),
            [
                (1, vec!["mac".to_owned(), "password".to_owned()]),
                (4, vec!["a".to_owned(), "x,\"y".to_owned()]),
                (5, vec!["b".to_owned(), "two\nlines".to_owned()]),
                (7, vec!["c".to_owned(), "z".to_owned()]),
            ]
        );
        assert_eq!(cells("a;b\n1,5;2\n")[1].1, ["1,5", "2"]);
        assert_eq!(cells("a\tb\n")[0].1, ["a", "b"]);
        assert_eq!(read("a,b\n\"x").unwrap_err().0, 2);
        assert_eq!(read("a,b\n\"x\"y,1").unwrap_err().0, 2);
        assert!(read("").unwrap().is_empty());
    }
}
