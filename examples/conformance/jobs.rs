//! Jobs by key. There is one, `over`, and it has ended.
//!
//! No layer is around them, so nothing but the job itself tells a client that comes back that it
//! has seen the end.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use sse_tower::{Cursor, Jobs, NoJob, ProgressStream, Resume, sse_handler};

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let jobs = Jobs::new();
    if let Ok(job) = jobs.start("over".to_owned(), 1) {
        job.finish(7);
    }
    Router::new()
        .route("/sse/jobs/{key}", get(follow))
        .with_state(jobs)
}

#[sse_handler(retry = "100ms")]
async fn follow(
    Path(key): Path<String>,
    State(jobs): State<Jobs<String, u8>>,
    resume: Resume<Cursor>,
) -> Result<ProgressStream<u8>, NoJob> {
    jobs.subscribe(&key, resume)
}
