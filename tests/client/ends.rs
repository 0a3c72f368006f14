//! What ends a stream for good, and what does not.

use sse_tower::client::Phase;

use crate::support::{DONE, Script, follow, number, numbers};

#[tokio::test(start_paused = true)]
async fn a_terminal_event_is_the_end() {
    let script = Script::new().events(number(1) + DONE + &number(2));
    let mut events = follow(&script).start();
    assert_eq!(events.state().phase, Phase::Connecting);
    assert_eq!(numbers(&mut events).await.0, [1]);
    assert_eq!(events.state().phase, Phase::Closed);
    assert!(events.state().last_error.is_none());
    assert_eq!(script.ids(), ["-"]);
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_with_the_newest_id_until_204() {
    let script = Script::new()
        .events(number(1) + &number(2))
        .events(number(3) + "id: 9\n\n");
    let mut events = follow(&script).start();
    assert_eq!(numbers(&mut events).await.0, [1, 2, 3]);
    assert_eq!(script.ids(), ["-", "2", "9"]);
}
