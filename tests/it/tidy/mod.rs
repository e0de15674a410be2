//! House rules that the compiler does not know: imports run one way, forbidden words, file sizes, the map.

mod imports;
mod repository;
mod source;
mod words;
