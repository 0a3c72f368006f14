//! The command line.

pub(crate) const USAGE: &str = "usage: watch [--json] [--from ID] [-H NAME:VALUE]... [-d BODY] URL";

#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) url: String,
    pub(crate) json: bool,
    pub(crate) from: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Args {
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("`{arg}` needs a value"));
            match &*arg {
                "--json" => parsed.json = true,
                "--from" => parsed.from = Some(value()?),
                "-d" => parsed.body = Some(value()?),
                "-H" => {
                    let header = value()?;
                    let (name, value) = header
                        .split_once(':')
                        .ok_or("a header is written as NAME:VALUE")?;
                    let header = (name.trim().to_owned(), value.trim().to_owned());
                    parsed.headers.push(header);
                }
                option if option.starts_with('-') => return Err(format!("unknown option {arg}")),
                _ if !parsed.url.is_empty() => return Err("one address is enough".into()),
                url if is_url(url) => parsed.url = arg,
                host => parsed.url = format!("http://{host}"),
            }
        }
        if parsed.url.is_empty() {
            return Err("there is no address".into());
        }
        Ok(parsed)
    }
}

/// Whether it begins with a scheme, for others to refuse if it is a strange one. `host:port` has
/// none, whatever follows.
fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
