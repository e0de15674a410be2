use super::*;

#[test]
fn tags_are_spelled_from_strict_to_lax() {
    let of = |tag| spellings(tag).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(of("W/\"a\""), ["W/\"a\"", "\"a\"", "a", "*"]);
    assert_eq!(of("*"), ["*", "*", "*", "*"]);
}
