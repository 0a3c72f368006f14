//! nginx with everything on that holds streams back: buffering, compression, HTTP/1.0.

use std::net::SocketAddr;

use futures_util::future::join_all;
use http::Version;

use crate::process::Program;
use crate::{TIMEOUT, Way, leaving, one_by_one, silence};

fn ways() -> Option<[Way; 3]> {
    let nginx = Program::find("nginx", &["-p", ".", "-e", "stderr", "-c", "config"])?;
    let way = |encoding, config| Way {
        program: nginx.clone(),
        config,
        version: Version::HTTP_11,
        encoding,
    };
    Some([
        way(None, |at, to| config(at, to, "proxy_http_version 1.0;")),
        way(None, |at, to| config(at, to, "proxy_http_version 1.1;")),
        way(Some("gzip"), |at, to| {
            let gzip = "gzip on; gzip_types text/event-stream; gzip_proxied any;";
            config(at, to, gzip)
        }),
    ])
}

fn config(at: SocketAddr, to: SocketAddr, more: &str) -> String {
    format!(
        "
        daemon off;
        # One process, so that killing it leaves none behind.
        master_process off;
        pid pid;
        error_log stderr;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path temporary;
            proxy_temp_path temporary;
            fastcgi_temp_path temporary;
            scgi_temp_path temporary;
            uwsgi_temp_path temporary;
            server {{
                listen {at};
                location / {{
                    proxy_pass http://{to};
                    proxy_buffering on;
                    proxy_read_timeout {TIMEOUT}s;
                    {more}
                }}
            }}
        }}
        "
    )
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_made() {
    for way in ways().iter().flatten() {
        one_by_one(way).await;
    }
}

#[tokio::test]
async fn silence_is_outlived_by_the_keep_alive_alone() {
    join_all(ways().iter().flatten().map(silence)).await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_stream_along() {
    for way in ways().iter().flatten() {
        leaving(way).await;
    }
}
