//! Whatever a client sends as the last id it has seen, what it gets is one of the outcomes that
//! are documented, and the right one: the small version of the fuzz target `cursors`.

mod site;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use site::Site;

#[test]
fn any_id_has_the_outcome_that_is_documented() {
    let site = Site::new();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(5_000));
    let inputs = proptest::collection::vec(any::<u8>(), 0..40);
    let checked = runner.run(&inputs, |input| {
        site.check(&input);
        Ok(())
    });
    checked.unwrap_or_else(|failed| panic!("{failed}"));
}

/// What the fuzzer has found.
#[test]
fn ids_that_were_not_told_right_once() {
    let site = Site::new();
    // Sealed, nine thousand blanks: no id, and not one that is too long.
    site.check(&[
        122, 115, 251, 38, 46, 91, 102, 0, 137, 153, 239, 255, 255, 255, 255, 255, 0, 32, 93, 93,
        93, 93, 93, 93, 93, 93, 93, 93, 93, 93, 93, 35, 47, 124,
    ]);
}
