//! `"15s"`: durations as text.

use syn::LitStr;

/// A whole number of milliseconds, more than none.
pub(crate) type Millis = u64;

const UNITS: [(&str, Millis); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60 * 1000),
    ("min", 60 * 1000),
    ("h", 60 * 60 * 1000),
];

/// Reads `text`, a part of the literal `at`.
pub(crate) fn parse(text: &str, at: &LitStr) -> syn::Result<Millis> {
    match read(text) {
        Some(0) => Err(syn::Error::new(
            at.span(),
            "the duration must be longer than none",
        )),
        Some(millis) => Ok(millis),
        None => {
            let message = format!(
                "`{text}` is not a duration; write a number with a unit, such as \"15s\"\n\
                 units are `ms`, `s`, `m` or `min`, `h`"
            );
            Err(syn::Error::new(at.span(), message))
        }
    }
}

fn read(text: &str) -> Option<Millis> {
    let end = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<Millis>().ok()?.checked_mul(*millis)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_number_and_a_unit() {
        assert_eq!(read("500ms"), Some(500));
        assert_eq!(read("15s"), Some(15_000));
        assert_eq!(read("2m"), read("2min"));
        assert_eq!(read("1h"), Some(3_600_000));
        for bad in [
            "",
            "15",
            "s",
            "1.5s",
            "-1s",
            "1 s",
            "99999999999999999999s",
            "18446744073709551615s",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
