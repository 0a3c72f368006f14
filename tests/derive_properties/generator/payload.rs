//! The fields of a payload.

use fastrand::Rng;

use super::{
    Enum, Field, Kind, Line, RULES, Role, TEXTS, TYPES, Variant, cased_key, one_in, one_of,
};

impl Enum {
    pub(super) fn payload(&mut self, variant: &mut Variant, uses_parameters: bool, rng: &mut Rng) {
        let only = |ty: &str| vec![Field::new("value", ty, Role::Payload)];
        match variant.kind {
            Kind::Json => self.json(variant, uses_parameters, rng),
            Kind::Text => {
                let is_any = variant.line != Line::Named;
                let ty = if is_any { "String" } else { one_of(TEXTS, rng) };
                variant.fields = only(ty);
                if one_in(3, rng) {
                    self.data_beside_others(variant);
                }
            }
            Kind::Lines => {
                variant.is_struct = true;
                for _ in 0..rng.usize(1..4) {
                    let mut field = Field::new(&self.name(rng).join("_"), "", Role::Payload);
                    field.key = cased_key(&field.name, self.keys);
                    field.ty =
                        one_of(["String", "u64", "Option<String>", "Option<u64>"], rng).into();
                    if one_in(3, rng) {
                        field.ty = one_of(["Inner", "Option<Inner>"], rng).into();
                        field.words.push("sse(json)".into());
                    }
                    field.rename(rng);
                    variant.fields.push(field);
                }
            }
            Kind::Comment if rng.bool() => variant.fields = only("String"),
            Kind::Flatten => {
                variant.is_struct = false;
                variant.fields = only(one_of(["Nested", "Box<Nested>"], rng));
            }
            Kind::Other if rng.bool() => {
                variant.is_struct = false;
                variant.fields = only("RawEvent<'static>");
            }
            Kind::Skip if rng.bool() => variant.fields = only("u8"),
            _ => {}
        }
    }

    fn json(&mut self, variant: &mut Variant, uses_parameters: bool, rng: &mut Rng) {
        let is_object = self.tag.is_some() && self.content.is_none();
        let by_payload = self.tag.is_none() && variant.line == Line::Unnamed;
        let shapes = match () {
            () if uses_parameters => &["struct"][..],
            () if by_payload && self.take("{}") => &["unit"],
            () if by_payload => &["struct"],
            () if is_object => &["unit", "struct", "struct", "struct", "value"],
            () => &[
                "unit", "struct", "struct", "struct", "tuple", "value", "value",
            ],
        };
        let types: &[_] = if is_object {
            &["Inner", "Choice", "BTreeMap<Key, u8>"]
        } else {
            &TYPES
        };
        match one_of(shapes.iter().copied(), rng) {
            "struct" => {
                variant.is_struct = true;
                let keys = if one_in(5, rng) {
                    let rule = one_of(RULES[..8].iter().copied(), rng);
                    variant.words.push(format!("serde(rename_all = {rule:?})"));
                    rule
                } else {
                    self.keys
                };
                let mut has_rest = self.deny;
                for _ in 0..rng.usize(..4) {
                    let field = self.key_and_value(keys, &mut has_rest, rng);
                    variant.fields.push(field);
                }
                let mut always = |ty: &str, rng: &mut Rng| {
                    let mut field = Field::new(&self.name(rng).join("_"), ty, Role::Payload);
                    field.key = cased_key(&field.name, keys);
                    variant.fields.push(field);
                };
                if uses_parameters {
                    always("T", rng);
                    always("Cow<'a, str>", rng);
                } else if by_payload {
                    // Without it the payload is another variant's.
                    always("u8", rng);
                }
            }
            "tuple" => {
                variant.is_struct = false;
                for i in 0..rng.usize(2..4) {
                    let ty = one_of(TYPES, rng);
                    variant
                        .fields
                        .push(Field::new(&format!("value{i}"), ty, Role::Payload));
                }
            }
            "value" => {
                let mut field =
                    Field::new("value", one_of(types.iter().copied(), rng), Role::Payload);
                if !is_object && one_in(4, rng) {
                    field.ty = "u32".into();
                    field.serde.push("serde(with = \"digits\")".into());
                }
                variant.fields.push(field);
                if variant.is_struct || one_in(3, rng) {
                    self.data_beside_others(variant);
                }
            }
            _ => {}
        }
    }

    /// A key of an object, with the words of serde that are about one.
    fn key_and_value(&mut self, keys: &str, has_rest: &mut bool, rng: &mut Rng) -> Field {
        let mut field = Field::new(&self.name(rng).join("_"), one_of(TYPES, rng), Role::Payload);
        field.key = cased_key(&field.name, keys);
        match rng.usize(..9) {
            0 => field.rename(rng),
            1 => {
                field.ty = "Option<String>".into();
                field
                    .serde
                    .push("serde(default, skip_serializing_if = \"Option::is_none\")".into());
            }
            2 => {
                field.ty = "u32".into();
                field.serde.push("serde(with = \"digits\")".into());
            }
            3 if !*has_rest => {
                *has_rest = true;
                field.ty = one_of(["Flat", "BTreeMap<String, String>"], rng).into();
                field.key.clear();
                field.serde.push("serde(flatten)".into());
            }
            4 => field.serde.push("serde(default)".into()),
            5 => {
                field.role = Role::Absent;
                field
                    .words
                    .push(one_of(["sse(skip)", "serde(skip)"], rng).into());
            }
            _ => {}
        }
        field
    }

    /// Only this one is sent.
    fn data_beside_others(&mut self, variant: &mut Variant) {
        for field in &mut variant.fields {
            field.role = Role::Data;
            field.words.push("sse(data)".into());
        }
        variant
            .fields
            .push(Field::new("beside", "u8", Role::Absent));
    }
}
