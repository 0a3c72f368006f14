//! A proxy as a child process: in the foreground, below the target directory, until it is dropped.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};

use tokio::net::TcpStream;

use crate::net::soon;

/// What to start; it has the name of its Debian package.
#[derive(Clone)]
pub(crate) struct Program {
    name: &'static str,
    path: PathBuf,
    /// It runs in a directory of its own, with its configuration in the file `config`.
    arguments: &'static [&'static str],
}

impl Program {
    /// Looks for it, and says so if it is missing; where it has to be there, it fails.
    pub(crate) fn find(name: &'static str, arguments: &'static [&'static str]) -> Option<Self> {
        let directories = env::var_os("PATH").unwrap_or_default();
        let path = env::split_paths(&directories)
            // Debian keeps servers where an ordinary user does not search.
            .chain(["/usr/sbin".into()])
            .map(|directory| directory.join(name))
            .find(|path| path.is_file());
        if path.is_none() {
            let message = format!("NOT CHECKED: the Debian package {name} is not installed\n");
            let required = ["CI", "PROXIES"]
                .map(env::var_os)
                .iter()
                .any(Option::is_some);
            assert!(!required, "{message}");
            // Straight to the terminal: the output of a test that passes is hidden.
            let _ = io::stderr().write_all(message.as_bytes());
        }
        Some(Self {
            name,
            path: path?,
            arguments,
        })
    }

    /// Starts it with the configuration for an address.
    pub(crate) async fn start(&self, config: impl Fn(SocketAddr) -> String) -> Proxy {
        let mut log = String::new();
        // The port is free when it is chosen, and may be somebody's when it is bound.
        for _ in 0..3 {
            let mut proxy = self.spawn(&config).unwrap();
            if soon(proxy.is_up()).await {
                return proxy;
            }
            log = fs::read_to_string(proxy.directory.join("log")).unwrap();
        }
        panic!("{} does not start: {log}", self.name);
    }

    fn spawn(&self, config: impl Fn(SocketAddr) -> String) -> io::Result<Proxy> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let directory = format!("{}-{}", self.name, address.port());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(directory);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("config"), config(address))?;
        let log = File::create(directory.join("log"))?;
        let child = Command::new(&self.path)
            .args(self.arguments)
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Proxy {
            address,
            child,
            directory,
        })
    }
}

/// Ends when it is dropped, and leaves its log behind only if the test fails.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    child: Child,
    directory: PathBuf,
}

impl Proxy {
    /// Whether it listens, or has ended instead.
    async fn is_up(&mut self) -> bool {
        while self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(self.address).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}
