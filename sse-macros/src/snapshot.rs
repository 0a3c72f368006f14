//! Expansions as text. `BLESS=1 cargo test -p sse-macros` writes the files anew.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The tokens are those in the file, a path below `src`.
#[track_caller]
pub(crate) fn check(file: &str, expansion: TokenStream) {
    let mut expanded = String::new();
    print(expansion, 0, &mut expanded);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    if env::var_os("BLESS").is_some() {
        fs::write(&file, &expanded).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(expanded, expected, "{}", file.display());
}

/// Tokens with a line for each statement and field, which is all that a diff needs.
fn print(tokens: TokenStream, depth: usize, out: &mut String) {
    let mut line = TokenStream::new();
    for tree in tokens {
        match tree {
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Brace && group.to_string().len() > 8 =>
            {
                let head = line.to_string();
                let space = if head.is_empty() { "" } else { " " };
                writeln!(out, "{:depth$}{head}{space}{{", "").unwrap();
                print(group.stream(), depth + 4, out);
                writeln!(out, "{:depth$}}}", "").unwrap();
                line = TokenStream::new();
            }
            TokenTree::Punct(punct) if [';', ','].contains(&punct.as_char()) => {
                line.extend([TokenTree::Punct(punct)]);
                writeln!(out, "{:depth$}{line}", "").unwrap();
                line = TokenStream::new();
            }
            other => line.extend([other]),
        }
    }
    if !line.is_empty() {
        writeln!(out, "{:depth$}{line}", "").unwrap();
    }
}
