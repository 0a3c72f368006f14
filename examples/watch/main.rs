//! Follows an event stream on the command line, and comes back when it is cut off.
//!
//! ```text
//! cargo run --example watch -- [OPTIONS] URL
//!
//!   --json         a line of JSON for each event, and nothing else on stdout
//!   --from ID      goes on after the event with this id
//!   -H NAME:VALUE  sends this header, any number of times
//!   -d BODY        sends a POST with this body, and no second one
//! ```
//!
//! What happens to the connection goes to stderr. The program ends when the stream is over, or with
//! an error if the server refuses it.

mod args;
mod print;

use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::{env, iter};

use futures_util::StreamExt as _;
use sse_tower::RawEvent;
use sse_tower::client::{
    ConnectionError, EventSource, EventSourceError, Http, Phase, State, reqwest,
};

use crate::args::Args;
use crate::print::{Printer, visible};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::parse(env::args().skip(1)) {
        Ok(args) => args,
        Err(mistake) => {
            eprintln!("{mistake}\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match watch(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn watch(args: Args) -> Result<(), Box<dyn Error>> {
    // The first one stays, if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Http::new(reqwest::Client::builder())?.across_origins();
    let mut request = match &args.body {
        Some(body) => EventSource::<RawEvent>::post(&http, &args.url).body(body.clone()),
        None => EventSource::get(&http, &args.url),
    };
    for (name, value) in &args.headers {
        request = request.header(name.as_str(), value.as_str());
    }
    if let Some(id) = &args.from {
        request = request.last_event_id(id);
    }
    let mut events = request.on_change(tell).start();

    let stdout = io::stdout();
    let mut printer = match args.json {
        true => Printer::Json,
        false => Printer::for_terminal(stdout.is_terminal()),
    };
    let mut out = stdout.lock();
    while let Some(event) = events.next().await {
        let event = event.inspect_err(tell_body)?;
        match printer.print(&mut out, &event).and_then(|()| out.flush()) {
            // Nobody reads on, as when piped into `head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written?,
        }
    }
    Ok(())
}

/// Notes what a reader of the events would not see.
fn tell(state: State<'_>) {
    let after = match state.last_event_id {
        "" => String::new(),
        id => format!(" after id {id:?}"),
    };
    match (state.phase, state.last_error) {
        (Phase::Waiting { delay }, Some(error)) => {
            let seconds = delay.as_secs_f32();
            note(&format!("{}; back in {seconds:.1} s{after}", chain(error)));
        }
        (Phase::Open, Some(_)) => note(&format!("connected again{after}")),
        _ => {}
    }
}

/// What a server says when it refuses is for people.
fn tell_body(error: &EventSourceError) {
    if let EventSourceError::Connection(ConnectionError::Status { body, .. }) = error {
        let lines = body.lines().filter(|line| !line.is_empty());
        lines.take(20).for_each(note);
    }
}

fn note(text: &str) {
    eprintln!("-- {}", visible(text));
}

fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
