// Events of a crate that has nothing but the one dependency, and forbids itself all warnings.

/// All shapes.
#[derive(Debug, PartialEq, SseEvent, FromSseEvent)]
#[sse(tag = "type", rename_all_fields = "camelCase")]
pub enum All<T = u8> {
    /// A unit.
    Ping,
    /// A struct.
    Started {
        /// The id.
        #[sse(id, keep)]
        seq: u64,
        /// A list.
        list_of: Vec<T>,
        /// Maybe.
        #[serde(skip_serializing_if = "Option::is_none")]
        maybe: Option<T>,
    },
    /// A text.
    #[sse(data = "text", retry = "5s")]
    Text(String),
    /// The end.
    #[sse(unnamed, literal = "[DONE]", terminal)]
    Done,
    /// Anything.
    #[sse(other)]
    Other(RawEvent<'static>),
}

/// In a function body, which is generic itself.
pub fn inside<T>(value: T) -> Option<String>
where
    T: std::fmt::Display,
{
    #[derive(SseEvent)]
    #[sse(data = "text")]
    enum Inside<'a, T> {
        Row {
            #[sse(event)]
            name: &'a str,
            html: T,
        },
    }
    let row = Inside::Row {
        name: "row",
        html: value,
    };
    let mut writer = EventBuffer::new();
    writer.write(&row).ok()?;
    String::from_utf8(writer.take().to_vec()).ok()
}

#[cfg(test)]
#[test]
fn the_derives_find_their_crate() {
    let event = All::Started {
        seq: 7,
        list_of: vec![1_u8],
        maybe: None,
    };
    let mut writer = EventBuffer::new();
    writer.write(&event).unwrap();
    let bytes = writer.take();
    let expected =
        "event: started\nid: 7\ndata: {\"type\":\"started\",\"seq\":7,\"listOf\":[1]}\n\n";
    assert_eq!(bytes, expected);
    assert!(!event.is_terminal() && !event.ends_stream());
    assert_eq!(inside(1).unwrap(), "event: row\ndata: 1\n\n");
}
