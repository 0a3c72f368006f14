//! Everything at once: keys, retention, a store in a bad mood, readers that leave and come back.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use sse_tower::store::MemoryStore;
use sse_tower::{Cursor, DurableTopic, Lag, Missed, Resume, Retention, Subscription};
use tokio::time::{Duration, sleep, timeout};

use crate::around::Around;
use crate::moody::Moody;
use crate::{Note, note, open_keeping};

/// What a reader was given.
#[derive(Debug)]
enum Got {
    Event(u64, String),
    Gap { from: u64, to: u64 },
}

/// What was published: the key, if any, and the number, if that was told.
#[derive(Debug)]
struct Published {
    text: String,
    key: Option<&'static str>,
    seq: Option<u64>,
}

#[tokio::test(start_paused = true)]
async fn nothing_is_missing_that_was_not_replaced_or_told_as_lost() {
    let (mut events, mut gaps, mut replaced) = (0, 0, 0);
    for seed in 0..40 {
        let habits = Moody::calm(seed);
        let store = Around {
            store: MemoryStore::new(),
            habits: habits.clone(),
        };
        let topic = open_keeping(store, Retention::events(40)).await;
        habits.set_calm(false);
        let readers =
            (0..6).map(|n| tokio::spawn(read(topic.clone(), Rng::with_seed(seed << 8 | n))));
        let readers: Vec<_> = readers.collect();
        let publishers = (0..3).map(|n| publish(&topic, n, Rng::with_seed(seed << 16 | n)));
        let mut published: Vec<_> = join_all(publishers).await.into_iter().flatten().collect();
        habits.set_calm(true);
        let last = topic.close(note("bye")).await.unwrap().unwrap();
        published.push(Published {
            text: "bye".into(),
            key: None,
            seq: Some(last.seq()),
        });
        for (n, reader) in readers.into_iter().enumerate() {
            let got = timeout(Duration::from_secs(3_600), reader).await;
            let got = got.unwrap_or_else(|_| panic!("seed {seed}: reader {n} never ends"));
            let (e, g, r) = check(&published, last, &got.unwrap())
                .unwrap_or_else(|fault| panic!("seed {seed}, reader {n}: {fault}"));
            (events, gaps, replaced) = (events + e, gaps + g, replaced + r);
        }
    }
    println!("{events} events, {gaps} gaps, {replaced} replaced");
    assert!(events > 0 && gaps > 0 && replaced > 0);
}

async fn publish(topic: &DurableTopic<Note>, publisher: u64, mut rng: Rng) -> Vec<Published> {
    let mut published = Vec::new();
    for burst in 0..25 {
        let notes: Vec<_> = (0..rng.usize(1..=12))
            .map(|n| {
                let text = format!("{publisher}-{burst}-{n}");
                let key = *rng.choice(&["a", "b", "c"]).unwrap();
                match rng.u8(..3) {
                    0 => (Note::Latest(key, text.clone()), text, Some(key)),
                    _ => (Note::All(text.clone()), text, None),
                }
            })
            .collect();
        let count = notes.len() as u64;
        let told = topic.publish_all(notes.iter().map(|(note, ..)| note)).await;
        let first = told.ok().map(|last| last.unwrap().seq() + 1 - count);
        published.extend(
            notes
                .into_iter()
                .zip(0..)
                .map(|((_, text, key), n)| Published {
                    text,
                    key,
                    seq: first.map(|first| first + n),
                }),
        );
        sleep(Duration::from_millis(rng.u64(0..300))).await;
    }
    published
}

/// Reads to the end; now and then it waits, or leaves and comes back.
async fn read(topic: DurableTopic<Note>, mut rng: Rng) -> Vec<Got> {
    let lag = || {
        Lag::tell(|gap| {
            note(format!(
                "gap {} {}",
                gap.requested().seq(),
                gap.resume().seq()
            ))
        })
    };
    let mut subscription = topic.from_start().lag(lag());
    let mut all = vec![Got::Gap {
        from: 0,
        to: subscription.cursor().seq(),
    }];
    loop {
        while let Some(block) = subscription.next().await {
            let text = String::from_utf8(block.unwrap().bytes().to_vec()).unwrap();
            all.extend(text.split_terminator("\n\n").map(got));
            if rng.u8(..8) == 0 {
                sleep(Duration::from_millis(rng.u64(0..4_000))).await;
            }
            if rng.u8(..16) == 0 {
                break;
            }
        }
        subscription = match come_back(&topic, subscription.cursor(), &mut all) {
            Some(rest) => rest.lag(lag()),
            None => return all,
        };
    }
}

fn come_back(
    topic: &DurableTopic<Note>,
    mut cursor: Cursor,
    all: &mut Vec<Got>,
) -> Option<Subscription<Note>> {
    loop {
        match topic.subscribe(Resume::After(cursor)) {
            Ok(rest) => return Some(rest),
            Err(Missed::Closed(_)) => return None,
            Err(Missed::Gap(gap)) => {
                assert_eq!(gap.requested(), cursor);
                let (from, to) = (cursor.seq(), gap.resume().seq());
                all.push(Got::Gap { from, to });
                cursor = gap.resume();
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn got(event: &str) -> Got {
    let line = |name| event.lines().find_map(|line| line.strip_prefix(name));
    let data: &str = line("data: ").unwrap();
    if let Some(gap) = data.strip_prefix("gap ") {
        let (from, to) = gap.split_once(' ').unwrap();
        return Got::Gap {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
    }
    let (_, seq) = line("id: ").unwrap().split_once('.').unwrap();
    Got::Event(seq.parse().unwrap(), data.to_owned())
}

/// How many events, gaps and replaced events there were; or what is wrong.
fn check(
    published: &[Published],
    last: Cursor,
    all: &[Got],
) -> Result<(usize, usize, usize), String> {
    let told = published.iter().filter_map(|it| Some((it.seq?, it)));
    let told: BTreeMap<u64, &Published> = told.collect();
    let texts: HashMap<&str, &Published> = published.iter().map(|it| (&*it.text, it)).collect();
    // Of these nobody knows whether they are there.
    let mut unknown = published
        .iter()
        .filter(|it| it.seq.is_none() && it.key.is_some())
        .count();
    let (mut at, mut events, mut gaps, mut replaced) = (0, 0, 0, 0);
    for got in all {
        match got {
            Got::Gap { from, to } => {
                if *from != at || to < from {
                    return Err(format!("at {at}: {got:?}"));
                }
                gaps += usize::from(to > from);
                at = *to;
            }
            Got::Event(seq, text) => {
                if *seq <= at {
                    return Err(format!("at {at}: {got:?} again"));
                }
                for missing in at + 1..*seq {
                    replaced += 1;
                    let Some(entry) = told.get(&missing) else {
                        unknown = unknown
                            .checked_sub(1)
                            .ok_or(format!("{missing} is nobody's"))?;
                        continue;
                    };
                    let newer = |key| {
                        published.iter().any(|it| {
                            it.key == Some(key)
                                && it.text != entry.text
                                // Of one that nobody knows to be stored, it may be.
                                && it.seq.is_none_or(|seq| seq > missing)
                        })
                    };
                    if !entry.key.is_some_and(newer) {
                        return Err(format!("{missing} is missing: {entry:?}, then {got:?}"));
                    }
                }
                let known = texts.get(&**text).ok_or(format!("{got:?} is invented"))?;
                if known.seq.is_some_and(|known| known != *seq) {
                    return Err(format!("{got:?} is {known:?}"));
                }
                events += 1;
                at = *seq;
            }
        }
    }
    match at == last.seq() {
        true => Ok((events, gaps, replaced)),
        false => Err(format!("it ends at {at} of {last}")),
    }
}
