//! The choices become source.

use super::{Enum, Field, Kind, Line, Role, Variant};

impl Enum {
    pub(super) fn to_source(&self, index: usize) -> String {
        let (generics, of) = match self.generic {
            true => ("<'a, T>", "<'static, Inner>"),
            false => ("", ""),
        };
        let of_serde = match (self.tag, self.content) {
            (Some(tag), Some(content)) => format!("serde(tag = {tag:?}, content = {content:?})"),
            (Some(tag), None) => format!("serde(tag = {tag:?})"),
            (None, _) => "serde(untagged)".to_owned(),
        };
        let words = attributes(&self.words, "");
        let each = |line: &dyn Fn(&Variant) -> String| -> String {
            self.variants.iter().map(line).collect()
        };
        let definitions = each(&|variant| variant.definition());
        let twins = each(&|variant| variant.twin(self));
        let samples: String = (0..)
            .zip(&self.variants)
            .map(|(i, variant)| format!("            {i} => Self::{},\n", variant.sample()))
            .collect();
        let wires = each(&|variant| {
            format!(
                "            Self::{} => {},\n",
                variant.pattern(),
                variant.wire()
            )
        });
        let count = self.variants.len();
        let definition = format!("{words}enum Events{generics} {{\n{definitions}}}\n");
        format!(
            "mod e{index} {{
use super::*;

#[derive(SseEvent, FromSseEvent, Clone, Debug, PartialEq)]
{definition}
#[derive(Serialize)]
#[{of_serde}]
enum Twin{generics} {{
{twins}}}

type Payload = Twin{of};

impl Sample for Events{of} {{
    const SOURCE: &str = {definition:?};
    const VARIANTS: usize = {count};

    fn sample(variant: usize, rng: &mut Rng) -> Self {{
        match variant {{
{samples}            _ => unreachable!(),
        }}
    }}

    fn wire(&self) -> Wire {{
        match self.clone() {{
{wires}        }}
    }}
}}

#[test]
fn holds() {{
    check::<Events{of}>();
}}
}}

"
        )
    }
}

impl Variant {
    fn definition(&self) -> String {
        let words = attributes(&self.words, "    ");
        let fields = self.fields.iter().map(|field| {
            let words = attributes(field.words.iter().chain(&field.serde), "        ");
            let name = if self.is_struct {
                format!("{}: ", field.name)
            } else {
                String::new()
            };
            format!("{words}        {name}{},\n", field.ty)
        });
        let fields: String = fields.collect();
        let ident = &self.ident;
        match (self.is_struct, fields.is_empty()) {
            (_, true) if !self.is_struct => format!("{words}    {ident},\n"),
            (true, _) => format!("{words}    {ident} {{\n{fields}    }},\n"),
            (false, _) => format!("{words}    {ident}(\n{fields}    ),\n"),
        }
    }

    /// `Variant { member: variable }`, also where members have numbers.
    fn pattern(&self) -> String {
        let members = self.members(|field| field.name.clone());
        format!("{} {{ {members} }}", self.ident)
    }

    fn sample(&self) -> String {
        let members = self.members(|field| format!("{}(rng)", self.maker(field)));
        format!("{} {{ {members} }}", self.ident)
    }

    fn members(&self, value: impl Fn(&Field) -> String) -> String {
        let members = self.fields.iter().enumerate().map(|(i, field)| {
            let member = if self.is_struct {
                field.name.clone()
            } else {
                i.to_string()
            };
            format!("{member}: {}, ", value(field))
        });
        members.collect()
    }

    /// The function that makes a value.
    fn maker(&self, field: &Field) -> &'static str {
        match field.role {
            Role::Absent => "absent",
            Role::Id | Role::KeptId => "id",
            Role::Retry => "retry",
            Role::Event => "name",
            Role::Payload | Role::Data => match self.kind {
                Kind::Text if self.line != Line::Named => "some_text",
                Kind::Text | Kind::Comment | Kind::Lines => "text",
                _ => "any",
            },
        }
    }

    /// The fields of the payload, and whether it is the value of the only one.
    fn payload(&self) -> (Vec<&Field>, bool) {
        let data = self.fields.iter().find(|field| field.role == Role::Data);
        if let Some(data) = data {
            return (vec![data], true);
        }
        let is_payload = |field: &&Field| matches!(field.role, Role::Payload | Role::KeptId);
        let fields: Vec<_> = self.fields.iter().filter(is_payload).collect();
        let is_value = !self.is_struct && fields.len() == 1;
        (fields, is_value)
    }

    /// The variant that serde gives the same payload.
    fn twin(&self, events: &Enum) -> String {
        if self.kind != Kind::Json {
            return String::new();
        }
        let (fields, is_value) = self.payload();
        let (ident, wire) = (&self.ident, &self.wire);
        let name = events
            .tag
            .map(|_| format!("    #[serde(rename = {wire:?})]\n"))
            .unwrap_or_default();
        let content = if is_value || !self.is_struct && !fields.is_empty() {
            let fields = fields
                .iter()
                .map(|field| format!("{}{}, ", attributes(&field.serde, ""), field.ty));
            format!("({})", fields.collect::<String>())
        } else if fields.is_empty() && !self.is_struct && events.tag.is_some() {
            String::new()
        } else {
            let fields = fields.iter().map(|field| {
                let key = if field.key.is_empty() {
                    vec![]
                } else {
                    vec![format!("serde(rename = {:?})", field.key)]
                };
                let words = attributes(field.serde.iter().chain(&key), "        ");
                format!("{words}        {}: {},\n", field.name, field.ty)
            });
            format!(" {{\n{}    }}", fields.collect::<String>())
        };
        format!("{name}    {ident}{content},\n")
    }

    /// The expression of what it is on the wire; its fields are variables.
    fn wire(&self) -> String {
        let (fields, is_value) = self.payload();
        let first = fields.first().map(|field| &*field.name);
        let data = match self.kind {
            Kind::Comment => {
                return format!(
                    "Wire::comment({})",
                    first.map_or("\"\"".into(), |text| format!("&{text}"))
                );
            }
            Kind::Flatten => return "value.wire()".into(),
            Kind::Other if first.is_some() => return "Wire::raw(&value)".into(),
            Kind::Other | Kind::Skip => return "Wire::nothing()".into(),
            Kind::Json => {
                let by_place = is_value || !self.is_struct;
                let members = fields.iter().enumerate().map(|(i, field)| {
                    let member = if by_place {
                        i.to_string()
                    } else {
                        field.name.clone()
                    };
                    format!("{member}: {}.clone(), ", field.name)
                });
                let members: String = members.collect();
                format!("json(&Payload::{} {{ {members} }})", self.ident)
            }
            Kind::Text => format!("{}.to_string()", first.expect("one text")),
            Kind::Literal => format!("{:?}.to_string()", self.literal),
            Kind::Empty => "String::new()".into(),
            Kind::Lines => {
                let lines = fields.iter().map(|field| {
                    let show = if field.words.iter().any(|word| word == "sse(json)") {
                        "json"
                    } else {
                        "show"
                    };
                    let (key, name) = (&field.key, &field.name);
                    match field.ty.starts_with("Option") {
                        true => format!("({key:?}, {name}.as_ref().map({show})), "),
                        false => format!("({key:?}, Some({show}(&{name}))), "),
                    }
                });
                format!("lines(&[{}])", lines.collect::<String>())
            }
        };
        let mut wire = format!("Wire::event({data})");
        match self.line {
            Line::Named => wire += &format!(".name({:?})", self.wire),
            Line::Chosen => wire += ".name(chosen.as_ref())",
            Line::Unnamed => {}
        }
        for field in &self.fields {
            let (name, is_option) = (&field.name, field.ty.starts_with("Option"));
            match field.role {
                Role::Id | Role::KeptId if is_option => wire += &format!(".id({name}.as_ref())"),
                Role::Id | Role::KeptId => wire += &format!(".id(Some(&{name}))"),
                Role::Retry if is_option => wire += &format!(".retry({name})"),
                Role::Retry => wire += &format!(".retry(Some({name}))"),
                _ => {}
            }
        }
        if self.retry {
            wire += ".retry(Some(Duration::from_secs(5)))";
        }
        if self.terminal {
            wire += ".terminal()";
        }
        match self.replay {
            "never" => wire += ".keep(Keep::Never)",
            "latest" => {
                let key = self.fields.iter().find(|field| field.is_log_key);
                let key = key.map_or("String::new()".into(), |key| {
                    format!("{}.to_string()", key.name)
                });
                wire += &format!(
                    ".keep(latest(concat!(module_path!(), \"::Events::{}\"), {key}))",
                    self.ident
                );
            }
            _ => {}
        }
        if let (Some(alias), Line::Named) = (&self.alias, self.line) {
            wire += &format!(".alias({alias:?})");
        }
        if self.kind == Kind::Lines {
            wire += ".unread()";
        }
        wire
    }
}

fn attributes<'a>(words: impl IntoIterator<Item = &'a String>, indent: &str) -> String {
    words
        .into_iter()
        .map(|word| format!("{indent}#[{word}]\n"))
        .collect()
}
