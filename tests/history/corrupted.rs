//! The checker finds what is wrong with a history.

use fastrand::Rng;
use sse_tower::Cursor;

use crate::checker::{Asked, Connection, End, Fault, History, Item, Tally, Told, check};
use crate::record::Record;

fn at(epoch: u64, seq: u64) -> Cursor {
    Cursor::new(epoch, seq)
}

fn event(epoch: u64, seq: u64) -> Item {
    Item::Event {
        cursor: at(epoch, seq),
        payload: 100 * epoch + seq,
    }
}

fn gap(requested: Cursor, resume: Cursor, head: Cursor) -> Item {
    Item::Gap(Told {
        requested,
        resume,
        head: Some(head),
    })
}

/// Ten events of the epoch 1 and eight of the epoch 2, of which three are kept.
fn record() -> Record {
    let published = |epoch: u64, last: u64| {
        let cursors = (1..=last).map(move |seq| at(epoch, seq));
        cursors.map(|c| (Some(c), 100 * c.epoch() + c.seq()))
    };
    let publisher = published(1, 10).chain(published(2, 8)).collect();
    Record::of(3, &[1, 2], &[publisher], &[]).unwrap()
}

/// A client that is cut, comes back with an older id, falls behind, sees a restart and the end.
fn honest() -> History {
    let connection = |asked, got, end| Connection { asked, got, end };
    vec![
        connection(
            Asked::Nothing,
            vec![event(1, 3), event(1, 4), event(1, 5)],
            End::Cut,
        ),
        connection(
            Asked::After(at(1, 4)),
            vec![
                event(1, 5),
                event(1, 6),
                gap(at(1, 6), at(1, 7), at(1, 10)),
                event(1, 8),
            ],
            End::Left,
        ),
        connection(
            Asked::After(at(1, 8)),
            vec![gap(at(1, 8), at(2, 0), at(2, 2)), event(2, 1), event(2, 2)],
            End::Cut,
        ),
        connection(
            Asked::After(at(2, 2)),
            vec![
                gap(at(2, 2), at(2, 4), at(2, 7)),
                event(2, 5),
                event(2, 6),
                event(2, 7),
                event(2, 8),
            ],
            End::Whole,
        ),
        connection(Asked::End, vec![], End::NoContent),
    ]
}

#[track_caller]
fn finds(fault: Fault, corrupt: impl FnOnce(&mut History)) {
    let mut history = honest();
    corrupt(&mut history);
    assert_eq!(check(&record(), &history), Err(fault));
}

fn jumped(from: Cursor, to: Cursor) -> Fault {
    Fault::Jumped { from, to }
}

fn told(requested: Cursor, resume: Cursor, head: Cursor) -> Told {
    Told {
        requested,
        resume,
        head: Some(head),
    }
}

#[test]
fn an_honest_history_has_no_fault() {
    let tally = Tally {
        delivered: 11,
        repeated: 1,
        gaps: 3,
        lost: 3,
        epochs: 1,
        marks: 0,
    };
    assert_eq!(check(&record(), &honest()), Ok(tally));
}

#[test]
fn an_event_is_what_was_published() {
    finds(Fault::Changed(at(1, 4)), |history| {
        history[0].got[1] = Item::Event {
            cursor: at(1, 4),
            payload: 105,
        };
    });
    finds(Fault::Invented(at(2, 9)), |history| {
        history[3].got.push(event(2, 9));
    });
    finds(Fault::Invented(at(3, 1)), |history| {
        history[0].got.push(event(3, 1));
    });
}

#[test]
fn a_connection_has_every_event_once_and_in_order() {
    finds(jumped(at(1, 3), at(1, 5)), |history| {
        history[0].got.remove(1);
    });
    finds(jumped(at(1, 4), at(1, 6)), |history| {
        history[1].got.remove(0);
    });
    let (after, got) = (at(1, 4), at(1, 4));
    finds(Fault::Repeated { after, got }, |history| {
        history[0].got.insert(1, event(1, 4));
    });
    let (after, got) = (at(1, 4), at(1, 3));
    finds(Fault::Repeated { after, got }, |history| {
        history[0].got.swap(0, 1);
    });
    // It had that one, but did not ask for it again.
    let (after, got) = (at(1, 8), at(1, 8));
    finds(Fault::Repeated { after, got }, |history| {
        history[2].got.insert(0, event(1, 8));
    });
}

#[test]
fn nothing_is_missing_between_connections() {
    let (after, got) = (at(1, 5), at(1, 7));
    finds(Fault::Untold { after, got }, |history| {
        history[1].asked = Asked::After(at(1, 6));
        history[1].got = vec![event(1, 7), event(1, 8)];
    });
    let (after, got) = (at(1, 5), at(1, 6));
    finds(Fault::Untold { after, got }, |history| {
        history[1].asked = Asked::After(at(1, 6));
        history[1].got.drain(..2);
    });
}

#[test]
fn a_gap_is_told() {
    finds(jumped(at(1, 6), at(1, 8)), |history| {
        history[1].got.remove(2);
    });
    finds(jumped(at(1, 8), at(2, 1)), |history| {
        history[2].got.remove(0);
    });
}

#[test]
fn a_gap_has_exact_bounds() {
    let wrong = |at: usize, told: Told| {
        finds(Fault::WrongBounds(told), |history| {
            history[at].got[if at == 1 { 2 } else { 0 }] = Item::Gap(told);
        });
    };
    wrong(1, told(at(1, 5), at(1, 7), at(1, 10)));
    wrong(1, told(at(1, 6), at(1, 6), at(1, 10)));
    wrong(1, told(at(1, 6), at(1, 11), at(1, 14)));
    wrong(1, told(at(1, 6), at(3, 1), at(3, 4)));
    wrong(3, told(at(2, 2), at(1, 10), at(1, 10)));
    finds(jumped(at(2, 3), at(2, 5)), |history| {
        history[3].got[0] = gap(at(2, 2), at(2, 3), at(2, 7));
    });
    let long = told(at(2, 2), at(2, 5), at(2, 7));
    finds(Fault::StillKept(long), |history| {
        history[3].got[0] = Item::Gap(long);
        history[3].got.remove(1);
    });
    finds(Fault::CameBack(at(2, 3)), |history| {
        history.insert(
            4,
            Connection {
                asked: Asked::After(at(2, 2)),
                got: vec![event(2, 3)],
                end: End::Cut,
            },
        );
    });
}

#[test]
fn a_checkpoint_is_where_the_client_stands_and_is_what_it_comes_back_with() {
    let marked = |seq| Connection {
        asked: Asked::Nothing,
        got: vec![Item::Mark(at(1, seq))],
        end: End::Cut,
    };
    let mut history = honest();
    history.insert(0, marked(2));
    history[1].asked = Asked::After(at(1, 2));
    assert_eq!(check(&record(), &history).map(|it| it.marks), Ok(1));
    history[1].asked = Asked::Nothing;
    let forgotten = Fault::Forgotten(at(1, 2));
    assert_eq!(check(&record(), &history), Err(forgotten));
    // It was told that it stands before the event that was not sent to it.
    history[0] = marked(1);
    history[1].asked = Asked::After(at(1, 2));
    let (after, got) = (at(1, 1), at(1, 3));
    let untold = Fault::Untold { after, got };
    assert_eq!(check(&record(), &history), Err(untold));
    history[0] = marked(11);
    let misplaced = Fault::Misplaced(at(1, 11));
    assert_eq!(check(&record(), &history), Err(misplaced));
    finds(Fault::Misplaced(at(1, 4)), |history| {
        history[0].got.insert(1, Item::Mark(at(1, 4)));
    });
    finds(Fault::Forgotten(at(1, 8)), |history| {
        history[2].asked = Asked::Nothing;
    });
}

#[test]
fn the_end_is_the_end() {
    finds(Fault::EndedEarly(Some(at(2, 7))), |history| {
        history[3].got.pop();
    });
    finds(Fault::EndedEarly(Some(at(2, 6))), |history| {
        history[4].asked = Asked::After(at(2, 6));
    });
    finds(Fault::EndedEarly(Some(at(2, 8))), |history| {
        history.remove(3);
    });
    finds(Fault::NeverEnded, |history| {
        history.pop();
    });
}

#[test]
fn publishers_are_given_every_number_once_and_in_their_order() {
    let check = |publishers: &[&[u64]], fault| {
        let cursors = |seqs: &&[u64]| seqs.iter().map(|&seq| (Some(at(1, seq)), 0)).collect();
        let publishers: Vec<Vec<_>> = publishers.iter().map(cursors).collect();
        assert_eq!(Record::of(3, &[1], &publishers, &[]).err(), fault);
    };
    check(&[&[1, 3], &[2]], None);
    check(&[&[1, 3]], Some(Fault::Misnumbered(1)));
    check(&[&[1, 2], &[2]], Some(Fault::Misnumbered(1)));
    check(&[&[2, 1]], Some(Fault::Reordered(at(1, 1))));
}

#[test]
fn an_event_that_nobody_was_told_of_has_the_number_that_it_was_sent_with() {
    // The server died while it had 101 and 102, and then again with 104 and 105.
    let publishers = [
        vec![(None, 101), (None, 102), (Some(at(1, 3)), 103)],
        vec![(None, 104), (None, 105), (Some(at(1, 5)), 106)],
    ];
    let got = |seqs: &[(u64, u64)]| {
        let items = seqs.iter().map(|&(seq, payload)| Item::Event {
            cursor: at(1, seq),
            payload,
        });
        let over = |asked, got, end| Connection { asked, got, end };
        vec![
            over(Asked::Nothing, items.collect(), End::Whole),
            over(Asked::End, vec![], End::NoContent),
        ]
    };
    let check = |histories: &[History]| {
        let record = Record::of(9, &[1], &publishers, histories)?;
        assert_eq!(record.unanswered(), 3);
        histories
            .iter()
            .try_for_each(|it| check(&record, it).map(drop))
    };
    let honest = got(&[(1, 101), (2, 102), (3, 103), (4, 105), (5, 106)]);
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&[honest.clone(), honest.clone()]), Ok(()));
    // To another one it is something else.
    let other = got(&[(1, 101), (2, 104), (3, 103), (4, 105), (5, 106)]);
    assert_eq!(
        check(&[honest.clone(), other]),
        Err(Fault::Changed(at(1, 2)))
    );
    let twice = got(&[(1, 101), (2, 101), (3, 103), (4, 105), (5, 106)]);
    assert_eq!(check(&[twice]), Err(Fault::Invented(at(1, 2))));
    let swapped = got(&[(1, 102), (2, 101), (3, 103), (4, 105), (5, 106)]);
    assert_eq!(check(&[swapped]), Err(Fault::Reordered(at(1, 1))));
    // What was acknowledged may not be lost in its place.
    let lost = got(&[(1, 101), (2, 102), (3, 104), (4, 105), (5, 106)]);
    assert_eq!(check(&[lost]), Err(Fault::Changed(at(1, 3))));
    // Nor may there be more numbers than events.
    let few = [vec![(None, 101), (Some(at(1, 3)), 103)]];
    let misnumbered = Record::of(9, &[1], &few, &[]).err();
    assert_eq!(misnumbered, Some(Fault::Misnumbered(1)));
}

/// Corrupts the histories of a run, each in all these ways somewhere, and checks that every
/// corruption is found.
pub(crate) fn check_finds_corruption_in(record: &Record, histories: &[History], rng: &mut Rng) {
    type Corrupt = fn(&mut Vec<Item>, usize);
    let of_events: [(&str, Corrupt); 4] = [
        ("left out", |got, at| {
            got.remove(at);
        }),
        ("repeated", |got, at| got.insert(at, got[at])),
        ("swapped", |got, at| got.swap(at, at + 1)),
        ("changed", |got, at| {
            if let Item::Event { payload, .. } = &mut got[at] {
                *payload ^= 1;
            }
        }),
    ];
    let of_gaps: [(&str, Corrupt); 4] = [
        ("not told", |got, at| {
            got.remove(at);
        }),
        ("told too long", |got, at| {
            bounds(&mut got[at], |told| told.resume = next(told.resume));
        }),
        ("told from another place", |got, at| {
            bounds(&mut got[at], |told| told.requested = next(told.requested));
        }),
        ("told too late", |got, at| got.swap(at, at + 1)),
    ];
    for (what, is_event, ways) in [("event", true, of_events), ("gap", false, of_gaps)] {
        let mut corrupted = 0;
        for (client, history) in histories.iter().enumerate() {
            let Some((connection, at)) = rng.choice(places(history, is_event)) else {
                continue;
            };
            for (way, change) in ways {
                let mut history = history.clone();
                change(&mut history[connection].got, at);
                let found = check(record, &history).is_err();
                let place = format!("of client {client}, connection {connection}, item {at}");
                assert!(found, "the {what} {place}, {way}");
            }
            corrupted += 1;
        }
        assert!(corrupted > 0, "no {what} to corrupt");
    }
}

/// The items, by connection, whose loss could be known: what is before them is, and an event
/// follows.
fn places(history: &History, is_event: bool) -> Vec<(usize, usize)> {
    let event = |item: &Item| matches!(item, Item::Event { .. });
    let wanted = move |item: &Item| match item {
        Item::Event { .. } => is_event,
        Item::Gap(_) => !is_event,
        Item::Mark(_) => false,
    };
    let places = history.iter().enumerate().flat_map(|(n, connection)| {
        let first = usize::from(connection.asked == Asked::Nothing);
        let pairs = connection.got.windows(2).enumerate().skip(first);
        let pairs = pairs.filter(move |(_, pair)| wanted(&pair[0]) && event(&pair[1]));
        pairs.map(move |(at, _)| (n, at))
    });
    places.collect()
}

fn bounds(item: &mut Item, change: impl FnOnce(&mut Told)) {
    if let Item::Gap(told) = item {
        change(told);
    }
}

fn next(cursor: Cursor) -> Cursor {
    at(cursor.epoch(), cursor.seq() + 1)
}
