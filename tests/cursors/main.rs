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
