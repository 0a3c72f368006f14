use sse_tower::sse_handler;

#[sse_handler]
enum Tick {
    #[sse(terminal)]
    Tick(#[sse(id)] u8),
}

#[sse_handler]
pub struct Other;

#[allow(non_camel_case_types)]
pub struct sse;

#[sse_handler]
pub struct Array([sse; 1]);

fn main() {
    let _ = (Tick::Tick(1), Other, Array([sse]));
}
