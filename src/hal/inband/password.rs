//! Random passwords that strict policies take: several classes of characters, nothing twice in a row.

use zeroize::Zeroizing;

use crate::hal::error::Result;
use crate::hal::model::Secret;

const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGIT: &[u8] = b"23456789";
/// No quotes, slashes, angle brackets, commas or backslashes: some BMCs refuse them.
const SPECIAL: &[u8] = b"!#*+-=_";

/// What the password is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Characters.
    pub length: usize,
    /// With special characters.
    pub special: bool,
}

/// Source of random bytes.
pub type Entropy<'a> = dyn FnMut(&mut [u8]) -> Result<()> + 'a;

/// A password of `shape`: upper and lower case, digits, and special characters if it may; begins with a letter; no character
/// stands beside itself, in whatever case.
pub fn random(shape: Shape, entropy: &mut Entropy<'_>) -> Result<Secret> {
    let classes: &[&[u8]] = if shape.special {
        &[LOWER, UPPER, DIGIT, SPECIAL]
    } else {
        &[LOWER, UPPER, DIGIT]
    };
    let all: Vec<u8> = classes.iter().copied().flatten().copied().collect();
    loop {
        let mut out = Zeroizing::new(Vec::with_capacity(shape.length));
        while out.len() < shape.length {
            let byte = pick(&all, entropy)?;
            let doubled = out
                .last()
                .is_some_and(|last: &u8| last.eq_ignore_ascii_case(&byte));
            let first = out.is_empty() && !byte.is_ascii_alphabetic();
            if !doubled && !first {
                out.push(byte);
            }
        }
        let has = |class: &[u8]| out.iter().filter(|b| class.contains(b)).count();
        // Two digits: policies exist that count them.
        if classes.iter().all(|class| has(class) >= 1) && has(DIGIT) >= 2 {
            return Ok(Secret::new(out.as_slice()));
        }
    }
}

/// One of `from`, each as likely as the other.
fn pick(from: &[u8], entropy: &mut Entropy<'_>) -> Result<u8> {
    let count = from.len().clamp(1, 256);
    let limit = 256 - 256 % count;
    loop {
        let mut byte = [0u8];
        entropy(&mut byte)?;
        let n = usize::from(byte[0]);
        if n < limit
            && let Some(found) = from.get(n % count)
        {
            return Ok(*found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_classes_no_doubles_and_never_the_same() {
        let mut generator = fastrand::Rng::with_seed(7);
        let mut entropy = |out: &mut [u8]| {
            generator.fill(out);
            Ok(())
        };
        let mut seen = std::collections::HashSet::new();
        for length in [10, 16, 20] {
            for special in [false, true] {
                for _ in 0..500 {
                    let secret = random(Shape { length, special }, &mut entropy).unwrap();
                    let text = String::from_utf8(secret.expose().to_vec()).unwrap();
                    assert_eq!(text.len(), length);
                    for class in [char::is_uppercase, char::is_lowercase, char::is_numeric] {
                        assert!(text.chars().any(class), "{text}");
                    }
                    assert_eq!(text.chars().any(|c| c.is_ascii_punctuation()), special);
                    let pairs = text.as_bytes().windows(2);
                    assert!(pairs.clone().all(|p| !p[0].eq_ignore_ascii_case(&p[1])));
                    assert!(text.starts_with(|c: char| c.is_ascii_alphabetic()));
                    assert!(seen.insert(text));
                }
            }
        }
    }
}
