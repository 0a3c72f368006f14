//! The public surface of the crates, as text: a change of it shows in review.
//!
//! `BLESS=1 cargo test -p sse-tower-tests --test api` writes the files anew.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sse_tower_tests::is_blessed_compiler;

#[test]
fn the_surface_of_sse_core() {
    check("sse-tower-core", "sse_core");
}

#[test]
fn the_surface_of_sse_tower() {
    check("sse-tower", "sse_tower");
}

fn check(package: &str, library: &str) {
    if !is_blessed_compiler("API") {
        return;
    }
    let surface = surface(package, library);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("api/{package}.txt"));
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &surface).unwrap();
    }
    let reviewed = fs::read_to_string(&file).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (reviewed, surface) = (lines(&reviewed), lines(&surface));
    let gone = reviewed
        .iter()
        .filter(|line| !surface.contains(line))
        .map(|line| format!("- {line}"));
    let new = surface
        .iter()
        .filter(|line| !reviewed.contains(line))
        .map(|line| format!("+ {line}"));
    let changes: Vec<_> = gone.chain(new).collect();
    // A line that moved, as to another type, is in both.
    assert!(
        reviewed == surface,
        "the surface of {package} changed, or its order; if that is meant, set BLESS=1:\n{}",
        changes.join("\n")
    );
}

fn surface(package: &str, library: &str) -> String {
    let target = target_dir().join("api");
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "rustdoc",
            "--quiet",
            "--lib",
            "--all-features",
            "--package",
            package,
            "--target-dir",
        ])
        .arg(&target)
        .args([
            "--",
            "-Zunstable-options",
            "--output-format=json",
            "--cap-lints=allow",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("RUSTDOCFLAGS")
        .status()
        .unwrap();
    assert!(status.success());
    public_api::Builder::from_rustdoc_json(target.join(format!("doc/{library}.json")))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .unwrap()
        .to_string()
}

/// The directory that holds this test's binary: `TARGET/PROFILE/deps/api-HASH`.
fn target_dir() -> PathBuf {
    let binary = env::current_exe().unwrap();
    binary.ancestors().nth(3).unwrap().to_owned()
}
