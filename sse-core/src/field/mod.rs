//! The values that stand in fields: checked once, written freely.

mod check;
mod error;
mod id;
mod name;
mod retry;

pub(crate) use self::check::{check_id, check_name, is_portable, is_reserved};
pub use self::error::{Field, FieldError, Rule};
pub use self::id::EventId;
pub use self::name::EventName;
pub use self::retry::RetryDelay;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn name_rule(name: &'static str, rule: Option<Rule>) {
        assert_eq!(EventName::new(name).err().map(|e| e.rule()), rule);
    }

    #[track_caller]
    fn id_rule(id: &'static str, rule: Option<Rule>) {
        assert_eq!(EventId::new(id).err().map(|e| e.rule()), rule);
    }

    #[test]
    fn names_are_one_line_and_never_empty() {
        name_rule("tick", None);
        name_rule("豆 腐: \0\u{2028}", None);
        name_rule("", Some(Rule::NotEmpty));
        for bad in ["\n", "\r", "a\r\nb", "a\rid: 1"] {
            name_rule(bad, Some(Rule::NoLineBreak));
        }
        name_rule("sse-tower:end", Some(Rule::Reserved));
        name_rule("sse-tower", None);
    }

    #[test]
    fn ids_are_one_line_without_nul() {
        id_rule("", None);
        id_rule("a b…", None);
        for bad in ["\n", "\r", "1\r\n2"] {
            id_rule(bad, Some(Rule::NoLineBreak));
        }
        id_rule("1\x002", Some(Rule::NoNul));
        id_rule("sse-tower:end", Some(Rule::Reserved));
    }

    #[test]
    fn portable_ids_survive_every_client() {
        assert!(EventId::portable("k".repeat(512)).is_ok());
        let rule = |id: String| EventId::portable(id).unwrap_err().rule();
        assert_eq!(rule("k".repeat(513)), Rule::TooLong);
        assert_eq!(rule(" 7".into()), Rule::NotVisibleAscii);
        assert_eq!(rule("é".into()), Rule::NotVisibleAscii);
    }

    #[test]
    fn equal_ids_are_equal_however_they_are_stored() {
        let owned = EventId::new(String::from("7")).unwrap();
        assert_eq!(owned, EventId::from_static("7"));
        assert_eq!(owned, EventId::from(7));
    }
}
