//! The same job in a terminal: the events that our client reads move bars of indicatif.

use std::collections::btree_map::{BTreeMap, Entry};
use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sse_tower::client::{EventSource, Http, reqwest};
use sse_tower::{Progress, TaskState};

use crate::hash::Summary;

/// Follows the job at `url` to its end.
pub(crate) async fn watch(url: &str) -> Result<(), Box<dyn Error>> {
    // Reqwest needs a provider, even for addresses without TLS; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Http::new(reqwest::Client::builder())?;
    let mut events = EventSource::<Progress<Summary>>::get(&http, url)
        .watchdog(Duration::from_secs(45))
        .start();

    let bars = MultiProgress::new();
    let whole = bars.add(ProgressBar::no_length().with_style(style(
        "{msg:24!} {wide_bar} {bytes}/{total_bytes}, {prefix}",
    )?));
    let mut tasks = BTreeMap::new();
    while let Some(event) = events.next().await {
        match event? {
            Progress::Update {
                position,
                length,
                rate,
                eta_ms,
                message,
                reset,
                ..
            } => {
                if reset {
                    clear(&bars, &mut tasks, |_| true);
                }
                whole.set_message(message.unwrap_or_default());
                whole.set_prefix(pace(rate, eta_ms));
                show(&whole, position, length);
            }
            Progress::Task {
                task,
                name,
                state: TaskState::Running,
                position,
                length,
                ..
            } => {
                let bar = match tasks.entry(task) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let style = style("{msg:24!} {bar:20} {percent:>3} %")?;
                        let bar = ProgressBar::no_length().with_style(style);
                        entry.insert(bars.add(bar.with_message(name)))
                    }
                };
                show(bar, position, length);
            }
            Progress::Task {
                task,
                name,
                state,
                message,
                ..
            } => {
                clear(&bars, &mut tasks, |of| of == task);
                if state == TaskState::Failed {
                    bars.println(format!("{name}: {}", message.unwrap_or_default()))?;
                }
            }
            Progress::TaskCleared { task, .. } => clear(&bars, &mut tasks, |of| of == task),
            Progress::Done { result, .. } => {
                bars.clear()?;
                println!("{}", text(&result));
            }
            Progress::Failed { message, .. } => {
                bars.clear()?;
                return Err(message.into());
            }
            _ => {}
        }
    }
    Ok(())
}

fn style(template: &str) -> Result<ProgressStyle, Box<dyn Error>> {
    Ok(ProgressStyle::with_template(template)?)
}

fn show(bar: &ProgressBar, position: u64, length: Option<u64>) {
    match length {
        Some(length) => bar.set_length(length),
        None => bar.unset_length(),
    }
    bar.set_position(position);
}

fn clear(
    bars: &MultiProgress,
    tasks: &mut BTreeMap<u64, ProgressBar>,
    which: impl Fn(u64) -> bool,
) {
    tasks.retain(|task, bar| {
        let goes = which(*task);
        if goes {
            bars.remove(bar);
        }
        !goes
    });
}

/// What the server has computed. Computed here by indicatif, it would begin at zero.
fn pace(rate: Option<f64>, eta_ms: Option<u64>) -> String {
    let rate = rate.map_or("? ".to_owned(), |rate| format!("{:.0} ", rate / 1e6));
    let eta = eta_ms.map_or("?".to_owned(), |eta| format!("{:.1}", eta as f64 / 1000.0));
    format!("{rate}MB/s, {eta} s left")
}

fn text(summary: &Summary) -> String {
    let Summary {
        digest,
        files,
        bytes,
        seconds,
        unreadable,
    } = summary;
    let rate = *bytes as f64 / 1e6 / seconds.max(0.001);
    let unreadable = match unreadable {
        0 => String::new(),
        unreadable => format!(", {unreadable} unreadable"),
    };
    format!(
        "sha-256 {digest}: {files} files, {bytes} bytes in {seconds:.1} s, {rate:.0} MB/s{unreadable}"
    )
}
