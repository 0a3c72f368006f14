//! The crate under another name.

use sse_core::SseEvent;

use crate::check;

mod elsewhere {
    pub(crate) mod renamed {
        pub(crate) use sse_core::*;
    }
}

#[test]
fn the_crate_may_have_another_name() {
    #[derive(SseEvent)]
    #[sse(crate = crate::renamed::elsewhere::renamed)]
    enum Renamed {
        Pair(u8, u8),
    }
    check(&Renamed::Pair(1, 2), "event: pair\ndata: [1,2]\n\n");
}

#[test]
fn the_crate_may_come_from_a_macro() {
    use sse_core::FromSseEvent;

    macro_rules! declare {
        ($name:ident, $root:path) => {
            #[derive(SseEvent, FromSseEvent)]
            #[sse(crate = $root, tag = "type")]
            enum $name {
                A { a: Vec<u8> },
            }
            check(
                &$name::A { a: vec![1] },
                "event: a\ndata: {\"type\":\"a\",\"a\":[1]}\n\n",
            );
        };
        ($name:ident) => {
            #[derive(SseEvent, FromSseEvent)]
            #[sse(crate = $crate::renamed::facade)]
            enum $name {
                A { a: Vec<u8> },
            }
            check(&$name::A { a: vec![1] }, "event: a\ndata: {\"a\":[1]}\n\n");
            declare!(Inner, $crate::renamed::facade);
        };
    }
    declare!(Outer);
}

mod facade {
    pub(crate) use sse_core::__private;
}
