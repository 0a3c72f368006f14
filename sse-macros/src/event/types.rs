//! What the name of a type tells, which is all that a derive sees of it.

use syn::{GenericArgument, Ident, PathArguments, PathSegment, Type, TypePath};

/// The `T` of an `Option<T>`, which serde and clap recognise by its name as well.
pub(crate) fn option_content(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Option")?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// What a reference or a box holds, or else the type itself.
pub(crate) fn behind_pointer(ty: &Type) -> &Type {
    match ty {
        Type::Reference(reference) => return behind_pointer(&reference.elem),
        Type::Paren(paren) => return behind_pointer(&paren.elem),
        Type::Group(group) => return behind_pointer(&group.elem),
        _ => {}
    }
    let segment = last_segment(ty).filter(|segment| is_pointer(&segment.ident));
    let arguments = segment.map(|segment| &segment.arguments);
    match arguments {
        Some(PathArguments::AngleBracketed(arguments)) => match arguments.args.first() {
            // Nobody knows what is behind `dyn`.
            Some(GenericArgument::Type(Type::TraitObject(_))) | None => ty,
            Some(GenericArgument::Type(inner)) => behind_pointer(inner),
            Some(_) => ty,
        },
        _ => ty,
    }
}

fn is_pointer(name: &Ident) -> bool {
    ["Box", "Arc", "Rc"].iter().any(|pointer| name == pointer)
}

/// Whether it is the type `name`, which may be in a box.
pub(crate) fn is_itself(name: &Ident, ty: &Type) -> bool {
    // A longer path may lead to another type of that name.
    let Type::Path(TypePath {
        qself: None, path, ..
    }) = behind_pointer(ty)
    else {
        return false;
    };
    let mut segments = path.segments.iter();
    let (first, second) = (segments.next(), segments.next());
    let last = match (first, second, segments.next()) {
        (Some(name), None, None) => name,
        (Some(module), Some(name), None) if module.ident == "self" => name,
        _ => return false,
    };
    last.ident == "Self" || last.ident == *name
}

pub(crate) fn is_integer(ty: &Type) -> bool {
    const INTEGERS: [&str; 12] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    ];
    match ty {
        // A path may lead to another type of that name.
        Type::Path(path) => path
            .path
            .get_ident()
            .is_some_and(|ident| INTEGERS.iter().any(|name| ident == name)),
        Type::Group(group) => is_integer(&group.elem),
        _ => false,
    }
}

/// Whether everybody knows that the type is no JSON object.
pub(crate) fn is_no_object(ty: &Type) -> bool {
    let is_list = |segment: &PathSegment| segment.ident == "Option" || segment.ident == "Vec";
    is_scalar(ty) || last_segment(ty).is_some_and(is_list)
}

/// Whether everybody knows that the type is one text, number or truth value.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    const KNOWN: [&str; 5] = ["bool", "char", "f32", "f64", "String"];
    match ty {
        Type::Reference(reference) => is_scalar(&reference.elem),
        Type::Paren(paren) => is_scalar(&paren.elem),
        Type::Group(group) => is_scalar(&group.elem),
        Type::Path(path) => match path.path.get_ident() {
            Some(name) => {
                name == "str" || is_integer(ty) || KNOWN.iter().any(|known| name == known)
            }
            None => is_text_in(&["Box", "Cow"], ty),
        },
        _ => false,
    }
}

/// `Box<str>`, `Cow<'_, str>` and the like.
fn is_text_in(names: &[&str], ty: &Type) -> bool {
    let Some(segment) = last_segment(ty) else {
        return false;
    };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return false;
    };
    let holds_text = match arguments.args.last() {
        Some(GenericArgument::Type(Type::Path(ty))) => ty.path.is_ident("str"),
        _ => false,
    };
    holds_text && names.iter().any(|name| segment.ident == name)
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(TypePath {
            qself: None, path, ..
        }) => path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        _ => None,
    }
}
