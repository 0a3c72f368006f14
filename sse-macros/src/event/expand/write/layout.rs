//! JSON that needs no derive of serde's: keys that are known, around values that are not.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::event::expand::argument;
use crate::event::model::{EventEnum, Field, Shape, Variant};
use crate::event::types;
use crate::spans::located;

/// A payload of JSON, with the values left open.
#[derive(Default)]
pub(super) struct Layout<'a> {
    pieces: Vec<Piece<'a>>,
}

enum Piece<'a> {
    Json(String),
    Value(&'a Field),
}

impl<'a> Layout<'a> {
    /// `None` if the payload is no JSON, or if serde must follow attributes or open a value.
    pub(super) fn of(events: &EventEnum, variant: &'a Variant) -> Option<Self> {
        let tag = events.tag(variant);
        let is_struct = variant.shape == Shape::Struct;
        let has_content = variant.payload_fields().next().is_some() || tag.is_some() && is_struct;
        let mut fields = variant.fields.iter().filter(|field| field.has_place());
        let is_plain = !has_content || fields.all(|field| field.serde.is_plain);
        if !variant.is_json() || !is_plain {
            return None;
        }
        let mut layout = Self::default();
        let Some(tag) = tag else {
            layout.content(variant);
            return Some(layout);
        };
        layout.json("{");
        layout.key(&tag.key.value());
        layout.json(&string(&variant.name.wire));
        match &tag.content {
            _ if !has_content => {}
            Some(key) => {
                layout.json(",");
                layout.key(&key.value());
                layout.content(variant);
            }
            None if is_struct && variant.value_field().is_none() => layout.fields(variant, ","),
            None => return None,
        }
        layout.json("}");
        Some(layout)
    }

    /// The code that writes it.
    pub(super) fn write(&self, private: &TokenStream) -> TokenStream {
        if let [Piece::Json(json)] = self.pieces.as_slice() {
            return quote!(__w.data(#json); #private::Result::Ok(()));
        }
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Json(json) => quote!(__out.put(#json);),
            Piece::Value(field) => value(field, private),
        });
        let is_named =
            |piece: &Piece<'_>| matches!(piece, Piece::Value(field) if types::is_scalar(&field.ty));
        let other = self
            .pieces
            .iter()
            .any(is_named)
            .then(|| quote!(use #private::OtherNamed as _;));
        quote! {
            #private::json(__w, |__out| {
                #other
                #(#pieces)*
                #private::Result::Ok(())
            })
        }
    }

    /// What stands beside a tag, or alone.
    fn content(&mut self, variant: &'a Variant) {
        if let Some(value) = variant.value_field() {
            self.pieces.push(Piece::Value(value));
            return;
        }
        let is_list = variant.shape == Shape::Tuple && variant.payload_fields().next().is_some();
        // Nothing is an object too, because a field added later is then a compatible change.
        let [open, close] = if is_list { ["[", "]"] } else { ["{", "}"] };
        self.json(open);
        self.fields(variant, "");
        self.json(close);
    }

    fn fields(&mut self, variant: &'a Variant, before: &str) {
        let mut before = before;
        for field in variant.payload_fields() {
            self.json(before);
            if variant.shape == Shape::Struct {
                self.key(&field.key);
            }
            self.pieces.push(Piece::Value(field));
            before = ",";
        }
    }

    fn key(&mut self, key: &str) {
        self.json(&string(key));
        self.json(":");
    }

    fn json(&mut self, json: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Json(before)) => before.push_str(json),
            _ if json.is_empty() => {}
            _ => self.pieces.push(Piece::Json(json.to_owned())),
        }
    }
}

/// The code is at the field's type, which is where a missing `Serialize` is reported.
fn value(field: &Field, private: &TokenStream) -> TokenStream {
    let (value, out, span) = (field.binding(), argument("__out"), field.ty.span());
    let private = located(private.clone(), span);
    if types::is_scalar(&field.ty) {
        quote_spanned!(span=> #private::Named(#value).__write(#out)?;)
    } else {
        quote_spanned!(span=> #private::value(#out, #value)?;)
    }
}

fn string(text: &str) -> String {
    let mut json = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            letter => json.push(letter),
        }
    }
    json.push('"');
    json
}
