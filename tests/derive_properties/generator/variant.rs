//! What stands on a variant, and the fields that are not payload.

use fastrand::Rng;

use super::{Enum, Field, IDS, Kind, Line, RULES, Role, Variant, cased, cased_key, one_in, one_of};

impl Enum {
    pub(super) fn variant(&mut self, kind: Kind, uses_parameters: bool, rng: &mut Rng) -> Variant {
        let mut words = Vec::new();
        let name = self.name(rng);
        let mut wire = self.prefix.to_owned() + &cased(&name, self.names, "");
        let line = if self.unnamed {
            Line::Unnamed
        } else if kind.is_event() && one_in(6, rng) && self.takes_any_name(kind) {
            Line::Chosen
        } else if kind.is_event() && one_in(4, rng) {
            words.push("sse(unnamed)".to_owned());
            Line::Unnamed
        } else {
            Line::Named
        };
        // What nothing but its payload tells apart is there once.
        let kind = match kind {
            Kind::Text | Kind::Empty if line == Line::Unnamed && !self.take(kind.word()) => {
                Kind::Literal
            }
            Kind::Flatten | Kind::Other if !self.take(kind.word()) => Kind::Skip,
            Kind::Other if !self.take("any name") || !self.take("any name, empty") => Kind::Skip,
            kind => kind,
        };
        let is_tagged = self.tag.is_some() && kind == Kind::Json;
        let has_name = kind.is_event() && (is_tagged || line == Line::Named);
        if has_name && one_in(5, rng) {
            wire = format!("re: {wire}");
            words.push(format!(
                "{}(rename = {wire:?})",
                one_of(["sse", "serde"], rng)
            ));
        }
        let alias = (has_name && one_in(5, rng)).then(|| format!("al/{wire}"));
        words.extend(
            alias
                .iter()
                .map(|alias| format!("{}(alias = {alias:?})", one_of(["sse", "serde"], rng))),
        );
        let literal = format!("[DONE]\n{}", name.concat());
        match kind {
            Kind::Literal => words.push(format!("sse(literal = {literal:?})")),
            kind if kind.is_event() && kind == self.form && rng.bool() => {}
            kind if kind.is_event() => words.push(format!("sse(data = {:?})", kind.word())),
            Kind::Skip => words.push(one_of(["sse(skip)", "serde(skip)"], rng).into()),
            kind => words.push(format!("sse({})", kind.word())),
        }
        if kind == Kind::Lines {
            words.push("serde(skip_deserializing)".into());
        }
        let terminal = kind.is_event() && one_in(6, rng);
        words.extend(terminal.then(|| "sse(terminal)".to_owned()));
        let replay = if kind.is_event() {
            one_of(["", "", "", "all", "latest", "never"], rng)
        } else {
            ""
        };
        words.extend((!replay.is_empty()).then(|| format!("sse(replay = {replay:?})")));
        let mut out = Variant {
            ident: cased(&name, "PascalCase", ""),
            wire,
            words,
            kind,
            line,
            is_struct: rng.bool(),
            fields: Vec::new(),
            alias,
            literal,
            terminal,
            retry: false,
            replay,
        };
        self.payload(&mut out, uses_parameters, rng);
        if kind.is_event() {
            self.lines(&mut out, rng);
        }
        out
    }

    /// Under any name only what is always the same may stand beside another variant.
    fn takes_any_name(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::Literal => true,
            Kind::Empty => self.take("any name, empty"),
            _ => self.take("any name"),
        }
    }

    fn lines(&mut self, variant: &mut Variant, rng: &mut Rng) {
        let keeps = variant.kind == Kind::Json
            && variant.fields.iter().all(|field| field.role != Role::Data)
            && (variant.is_struct || self.tag.is_none() || self.content.is_some());
        let is_by_payload = variant.line == Line::Unnamed && self.tag.is_none();
        if one_in(3, rng) {
            let mut field = Field::new("id", one_of(IDS, rng), Role::Id);
            if keeps && !is_by_payload && one_in(3, rng) {
                field.role = Role::KeptId;
                field.key = cased_key(&field.name, self.keys_of(variant));
            }
            let kept = field.role == Role::KeptId;
            field
                .words
                .push(if kept { "sse(id, keep)" } else { "sse(id)" }.into());
            variant.fields.push(field);
        }
        if one_in(6, rng) {
            let mut field = Field::new(
                "wait",
                one_of(["Duration", "Option<Duration>"], rng),
                Role::Retry,
            );
            field.words.push("sse(retry)".into());
            variant.fields.push(field);
        } else if one_in(6, rng) {
            variant.retry = true;
            variant.words.push("sse(retry = \"5s\")".into());
        }
        if variant.line == Line::Chosen {
            let mut field = Field::new("chosen", one_of(["String", "EventName"], rng), Role::Event);
            field.words.push("sse(event)".into());
            variant.fields.push(field);
        }
        if variant.replay == "latest" && rng.bool() {
            let shown =
                |field: &&mut Field| ["u8", "String", "u64", "Ticket"].contains(&&*field.ty);
            if let Some(field) = variant.fields.iter_mut().find(shown) {
                field.is_log_key = true;
                field.words.push("sse(key)".into());
            }
        }
        rng.shuffle(&mut variant.fields);
    }

    /// The case of the keys of one variant.
    fn keys_of(&self, variant: &Variant) -> &'static str {
        let said = |rule: &&&str| {
            variant
                .words
                .contains(&format!("serde(rename_all = {rule:?})"))
        };
        RULES.iter().find(said).copied().unwrap_or(self.keys)
    }
}
