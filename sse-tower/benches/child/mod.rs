//! A server in a process of its own, so that what it uses is its own alone. Linux tells.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

/// Set in the server's process; says what it serves.
const ROLE: &str = "SSE_BENCH_SERVES";

/// What this process is to serve, if it is a server.
pub(crate) fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Serves `app` on one thread until killed; `configure` is asked about each socket.
pub(crate) fn serve(app: Router, configure: fn(&mut tokio::net::TcpStream)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("bound"));
        axum::serve(listener.tap_io(configure), app)
            .await
            .expect("serves for ever");
    });
}

/// This program once more, as a server.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Run by `wrapper`, a program with its arguments, if there is one.
    pub(crate) fn start(role: &str, wrapper: &[&str]) -> Self {
        let program = env::current_exe().expect("a program");
        let mut words = wrapper.iter().map(OsStr::new).chain([program.as_os_str()]);
        let mut child = Command::new(words.next().expect("at least the program"))
            .args(words)
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs already");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("its address");
        let address = line.trim().parse().expect("its address");
        Self { child, address }
    }

    /// Asks for an event stream.
    pub(crate) fn get(&self, path: &str) -> TcpStream {
        let mut socket = self.connect();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).expect("it reads");
        socket
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("it listens")
    }

    /// A file that the kernel keeps about the process.
    pub(crate) fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(path).expect("Linux with /proc")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}
