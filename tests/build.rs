//! Writes the enums that `derive_properties` checks; `SSE_SEED` chooses others.

#[path = "derive_properties/generator.rs"]
mod generator;

use std::path::PathBuf;
use std::{env, fs};

/// As many as compile in a few seconds.
const ENUMS: usize = 80;

fn main() {
    println!("cargo::rerun-if-env-changed=SSE_SEED");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=derive_properties/generator.rs");
    let seed = env::var("SSE_SEED").map_or(1, |seed| seed.parse().expect("SSE_SEED is a number"));
    println!("cargo::rustc-env=SSE_SEED={seed}");
    let to = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("enums.rs");
    fs::write(to, generator::source(seed, ENUMS)).expect("cargo made the directory");
}
