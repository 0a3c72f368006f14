//! What mistakes look like: one file per mistake.

use sse_tower_tests::is_blessed_compiler;

#[test]
fn mistakes() {
    if !is_blessed_compiler("UI") {
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/event/*.rs");
    cases.compile_fail("ui/read/*.rs");
    cases.compile_fail("ui/handler/*.rs");
    cases.compile_fail("ui/resume/*.rs");
}
