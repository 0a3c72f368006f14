use sse_tower::sse_handler;

#[sse_handler]
enum Tick {
    #[sse(terminal)]
    Tick(#[sse(id)] u8),
}

#[sse_handler]
pub struct Other;

fn main() {
    let _ = (Tick::Tick(1), Other);
}
