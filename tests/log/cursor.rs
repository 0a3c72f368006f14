//! Cursors as text.

use proptest::prelude::*;
use sse_core::{Cursor, EventId};

#[test]
fn a_cursor_has_one_text() {
    for (text, cursor) in [
        ("0.0", Cursor::new(0, 0)),
        ("7.42", Cursor::new(7, 42)),
        (
            "18446744073709551615.18446744073709551615",
            Cursor::new(u64::MAX, u64::MAX),
        ),
    ] {
        assert_eq!(text.parse(), Ok(cursor));
        assert_eq!(cursor.to_string(), text);
        assert_eq!(EventId::from(cursor).as_str(), text);
        assert!(text.len() <= Cursor::MAX_LEN);
    }
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        ".",
        "7",
        "7.",
        ".7",
        "7.42.1",
        "7,42",
        "+7.42",
        "7.+42",
        "-7.42",
        "7.-0",
        " 7.42",
        "7.42 ",
        "7. 42",
        "07.42",
        "7.042",
        "00.0",
        "7.0x1",
        "0x7.1",
        "7.1e3",
        "7.4_2",
        "٧.٤٢",
        "7\0.42",
        "7.42\n",
        "18446744073709551616.0",
        "0.18446744073709551616",
        "99999999999999999999999999999.1",
    ] {
        assert!(text.parse::<Cursor>().is_err(), "{text:?}");
    }
    let zeros = "0".repeat(1 << 20) + ".1";
    assert!(zeros.parse::<Cursor>().is_err());
}

proptest! {
    #[test]
    fn every_cursor_survives_its_text(epoch: u64, seq: u64) {
        let cursor = Cursor::new(epoch, seq);
        let id = EventId::from(cursor);
        prop_assert!(id.is_portable());
        prop_assert_eq!(id.as_str().parse(), Ok(cursor));
    }

    #[test]
    fn what_can_be_read_is_what_would_be_written(text in "\\PC{0,8}|[0-9+. -]{0,12}|[0-9]{1,21}\\.[0-9]{1,21}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string(), text);
        }
    }
}
