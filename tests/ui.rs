//! What mistakes look like: one file per mistake.

use std::env;
use std::process::Command;

/// The compiler whose messages the `.stderr` files hold; they differ from version to version.
const BLESSED: &str = "rustc 1.95.";

#[test]
fn mistakes() {
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(compiler).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    if !version.starts_with(BLESSED) {
        let message =
            format!("UI TESTS DID NOT RUN: they are blessed on {BLESSED}x, this is {version}");
        assert!(env::var_os("CI").is_none(), "{message}");
        // Straight to the terminal: the output of a test that passes is hidden.
        use std::io::Write;
        writeln!(std::io::stderr(), "{message}").unwrap();
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/event/*.rs");
    cases.compile_fail("ui/read/*.rs");
    cases.compile_fail("ui/handler/*.rs");
}
