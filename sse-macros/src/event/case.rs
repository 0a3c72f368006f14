//! How the name of a variant or a field becomes a name on the wire.

use syn::LitStr;

/// The rules of serde, which take variants to be written in `PascalCase`, and `dot.case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
    Dot,
}

const RULES: [(&str, Case); 9] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
    ("dot.case", Case::Dot),
];

impl Case {
    /// Reads the name of a rule.
    pub(crate) fn from_lit(rule: &LitStr) -> syn::Result<Self> {
        let name = rule.value();
        if let Some((_, case)) = RULES.iter().find(|(known, _)| *known == name) {
            return Ok(*case);
        }
        let expected: Vec<_> = RULES
            .iter()
            .map(|(known, _)| format!("{known:?}"))
            .collect();
        let message = format!(
            "unknown case rule {name:?}, expected one of {}",
            expected.join(", ")
        );
        Err(syn::Error::new(rule.span(), message))
    }

    /// Reads the name of a rule in an attribute of serde's.
    ///
    /// The mistake is in serde's own words, so that with its derive beside ours it is one error.
    pub(crate) fn from_serde(rule: &LitStr) -> syn::Result<Self> {
        let of_serde = RULES.iter().filter(|(_, case)| *case != Self::Dot);
        let name = rule.value();
        if let Some((_, case)) = of_serde.clone().find(|(known, _)| *known == name) {
            return Ok(*case);
        }
        let expected: Vec<_> = of_serde.map(|(known, _)| format!("{known:?}")).collect();
        let message = format!(
            "unknown rename rule `rename_all = {name:?}`, expected one of {}",
            expected.join(", ")
        );
        Err(syn::Error::new(rule.span(), message))
    }

    /// Applies the rule to the name of a variant.
    pub(crate) fn apply(self, variant: &str) -> String {
        match self {
            Self::Pascal => variant.to_owned(),
            Self::Lower => variant.to_ascii_lowercase(),
            Self::Upper => variant.to_ascii_uppercase(),
            Self::Camel => {
                let mut chars = variant.chars();
                let first = chars.next().map(|first| first.to_ascii_lowercase());
                first.into_iter().chain(chars).collect()
            }
            Self::Snake => words(variant),
            Self::ScreamingSnake => words(variant).to_ascii_uppercase(),
            Self::Kebab => words(variant).replace('_', "-"),
            Self::ScreamingKebab => words(variant).to_ascii_uppercase().replace('_', "-"),
            Self::Dot => words(variant).replace('_', "."),
        }
    }

    /// Applies the rule to the name of a field, which is written in `snake_case`.
    pub(crate) fn apply_to_field(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Pascal => pascal(field),
            Self::Camel => Self::Camel.apply(&pascal(field)),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
            Self::Dot => field.replace('_', "."),
        }
    }
}

fn pascal(field: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    field.split('_').map(capital).collect()
}

/// A word starts at every capital, as in serde: `HTTPError` is `h_t_t_p_error`.
fn words(variant: &str) -> String {
    let mut out = String::new();
    for (i, letter) in variant.char_indices() {
        if i > 0 && letter.is_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variant: &str, expected: [&str; 9]) {
        assert_eq!(RULES.map(|(_, case)| case.apply(variant)), expected);
    }

    #[test]
    fn keys_are_cased_as_in_serde() {
        let cased = |field| RULES.map(|(_, case)| case.apply_to_field(field));
        assert_eq!(
            cased("very_tasty"),
            [
                "very_tasty",
                "VERY_TASTY",
                "VeryTasty",
                "veryTasty",
                "very_tasty",
                "VERY_TASTY",
                "very-tasty",
                "VERY-TASTY",
                "very.tasty",
            ]
        );
        assert_eq!(Case::Camel.apply_to_field("z42"), "z42");
    }

    #[test]
    fn names_are_cased_as_in_serde() {
        check(
            "Outcome",
            [
                "outcome", "OUTCOME", "Outcome", "outcome", "outcome", "OUTCOME", "outcome",
                "OUTCOME", "outcome",
            ],
        );
        check(
            "VeryTasty",
            [
                "verytasty",
                "VERYTASTY",
                "VeryTasty",
                "veryTasty",
                "very_tasty",
                "VERY_TASTY",
                "very-tasty",
                "VERY-TASTY",
                "very.tasty",
            ],
        );
        check("A", ["a", "A", "A", "a", "a", "A", "a", "A", "a"]);
        check(
            "Z42",
            [
                "z42", "Z42", "Z42", "z42", "z42", "Z42", "z42", "Z42", "z42",
            ],
        );
    }
}
