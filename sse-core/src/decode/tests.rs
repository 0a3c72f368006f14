use super::*;

#[test]
fn comments_inside_an_unfinished_event_take_no_memory() {
    let long = "k".repeat(1000);
    for (data, comment) in [
        ("kept", ":\n"),
        ("kept", ":\r"),
        (&*long, ": a comment\r\n"),
    ] {
        let mut decoder = Decoder::new();
        decoder.push(format!("data: {data}\n"));
        for _ in 0..10_000 {
            decoder.push(comment);
            assert_eq!(decoder.next_event(), Ok(None));
        }
        assert!(decoder.lines.memory() + decoder.data.memory() <= 8_192);
        decoder.push("data: more\n\n");
        let event = decoder.next_event().unwrap().unwrap();
        assert_eq!(event.data(), format!("{data}\nmore"));
    }
}

#[test]
fn a_payload_survives_whatever_becomes_of_the_buffer() {
    let lines = ["one", "", "three: 3", "", "five"];
    let text: String = lines
        .iter()
        .map(|line| format!("data: {line}\n:\nx\n"))
        .collect();
    let text = text + "\n";
    for len in 1..=text.len() {
        let mut decoder = Decoder::new();
        let mut seen = Vec::new();
        for chunk in text.repeat(3).as_bytes().chunks(len) {
            decoder.push(chunk);
            while let Some(event) = decoder.next_event().unwrap() {
                seen.push(event.data().to_owned());
            }
        }
        assert_eq!(
            seen,
            [lines.join("\n"), lines.join("\n"), lines.join("\n")],
            "{len}"
        );
    }
}

#[test]
fn lines_of_any_kind_follow_one_another() {
    let long = "x".repeat(100);
    let values = ["one", "a\ttab", "", &*long, "five"];
    for kind in 0..3_usize.pow(5) {
        let ends: Vec<_> = (0..5)
            .map(|at| ["\n", "\r", "\r\n"][kind / 3_usize.pow(at) % 3])
            .collect();
        let lines = values.iter().zip(&ends);
        let lines = lines.map(|(value, end)| format!("data: {value}{end}"));
        // The same for the empty line: a CR and an LF would be one end.
        let text = lines.collect::<String>() + ends[4];
        for len in [1, 7, text.len()] {
            let mut decoder = Decoder::new();
            let mut seen = Vec::new();
            for chunk in text.repeat(2).as_bytes().chunks(len) {
                decoder.push(chunk);
                while let Some(event) = decoder.next_event().unwrap() {
                    seen.push(event.data().to_owned());
                }
            }
            assert_eq!(
                seen,
                [values.join("\n"), values.join("\n")],
                "{text:?} by {len}"
            );
        }
    }
}

#[test]
fn every_line_of_a_payload_has_the_limit_of_a_line() {
    let limits = Limits::default().with_line(10);
    for before in 0..4 {
        let text = "data: a\n".repeat(before) + "data: 12345\ndata: b\n\n";
        let mut decoder = Decoder::new().with_limits(limits);
        decoder.push(text);
        assert_eq!(
            decoder.next_event(),
            Err(LimitError::Line { limit: 10 }),
            "{before}"
        );
    }
}
