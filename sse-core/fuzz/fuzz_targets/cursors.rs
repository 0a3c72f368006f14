//! Whatever a client sends as the last id it has seen, topics, combined streams and
//! `ResumeLayer` make of it what is documented, and nothing panics.
//!
//! `cargo fuzz run cursors`

#![no_main]

#[path = "../../../tests/cursors/site.rs"]
mod site;

use libfuzzer_sys::fuzz_target;
use site::Site;

thread_local! {
    static SITE: Site = Site::new();
}

fuzz_target!(|input: &[u8]| SITE.with(|site| site.check(input)));
