//! A key that does not say whose the run is.

use sse_tower::{ResumeLayer, RunKey};

fn main() {
    let _ = ResumeLayer::by(|parts| Some(RunKey::new(parts.uri.path().to_owned())));
}
