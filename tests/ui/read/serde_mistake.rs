use sse_tower::FromSseEvent;

#[derive(FromSseEvent)]
enum Events {
    A {
        #[serde(renam = "b")]
        a: u8,
    },
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<Events>();
}
