//! What an author has written. Each error points at what is to be changed, and says to what; all of them at once.

use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Result, Type, Visibility};

/// A struct and the attributes that it stands for.
pub(crate) struct AttributeSet {
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<Field>,
}

/// A field and the attribute that it stands for.
pub(crate) struct Field {
    pub(crate) visibility: Visibility,
    pub(crate) ident: Ident,
    pub(crate) kind: Type,
    /// The attribute's whole name.
    pub(crate) name: String,
}

impl AttributeSet {
    pub(crate) fn parse(item: DeriveInput) -> Result<Self> {
        if !item.generics.params.is_empty() {
            let message = "the attributes of a Kind are always the same: write the struct without parameters";
            return Err(Error::new(item.generics.span(), message));
        }
        let Data::Struct(body) = item.data else {
            return Err(not_named(&item.ident));
        };
        let Fields::Named(fields) = body.fields else {
            return Err(not_named(&item.ident));
        };
        let prefix = Setting::Prefix.find(&item.attrs)?;
        let mut errors = Errors::default();
        let mut found: Vec<Field> = Vec::new();
        for field in fields.named {
            let Some(field) = errors.keep(Field::parse(field, prefix.as_ref())) else { continue };
            if let Some(other) = found.iter().find(|other| other.name == field.name) {
                let message = format!("`{}` stands for {} already", other.ident, field.name);
                errors.keep::<()>(Err(Error::new(field.ident.span(), message)));
            }
            found.push(field);
        }
        errors.into_result().map(|()| Self { ident: item.ident, fields: found })
    }
}

fn not_named(ident: &Ident) -> Error {
    Error::new(
        ident.span(),
        "attributes have names: write a struct with named fields, such as `struct Note { text: String }`",
    )
}

impl Field {
    fn parse(field: syn::Field, prefix: Option<&LitStr>) -> Result<Self> {
        let whole = Setting::Name.find(&field.attrs)?;
        let Some(ident) = field.ident else {
            return Err(Error::new(field.ty.span(), "an attribute has a name"));
        };
        let name = match (whole, prefix) {
            (Some(name), _) => checked(&name, name.value())?,
            (None, Some(prefix)) => checked(&ident, format!("{}.{}", prefix.value(), ident.unraw()))?,
            (None, None) => {
                let message = format!(
                    "which attribute is this? write `#[occi(name = \"com.example.{}\")]` here, or \
                     `#[occi(prefix = \"com.example\")]` on the struct",
                    ident.unraw()
                );
                return Err(Error::new(ident.span(), message));
            }
        };
        Ok(Self { visibility: field.vis, ident, kind: field.ty, name })
    }
}

/// A name as the host takes it in a manifest.
fn checked(at: &impl Spanned, name: String) -> Result<String> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if first && rest && name.len() <= 255 {
        return Ok(name);
    }
    let message = format!(
        "`{name}` is no attribute's name: that consists of letters, digits, `-`, `_` and `.`, the first a letter or a \
         digit, at most 255 of them"
    );
    Err(Error::new(at.span(), message))
}

/// What `#[occi(...)]` may say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    /// On the struct.
    Prefix,
    /// On a field.
    Name,
}

impl Setting {
    fn key(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Name => "name",
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Prefix => "on the struct write `#[occi(prefix = \"com.example.note\")]`",
            Self::Name => "on a field write `#[occi(name = \"com.example.note.text\")]`, its whole name",
        }
    }

    /// Its value among the attributes of the struct, or of a field.
    fn find(self, attributes: &[Attribute]) -> Result<Option<LitStr>> {
        let mut found = None;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("occi")) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident(self.key()) || found.is_some() {
                    return Err(meta.error(self.usage()));
                }
                found = Some(meta.value()?.parse::<LitStr>()?);
                Ok(())
            })?;
        }
        Ok(found)
    }
}

/// Errors that are told together.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match (result, &mut self.0) {
            (Ok(value), _) => return Some(value),
            (Err(error), Some(errors)) => errors.combine(error),
            (Err(error), none) => *none = Some(error),
        }
        None
    }

    fn into_result(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[track_caller]
    fn refused(item: DeriveInput, messages: &[&str]) {
        let Err(errors) = AttributeSet::parse(item) else { panic!("it is taken") };
        let errors: Vec<_> = errors.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(errors.len(), messages.len(), "{errors:#?}");
        for (error, message) in errors.iter().zip(messages) {
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_name_is_made_of_the_prefix_and_the_field_or_is_given() {
        let set = AttributeSet::parse(parse_quote! {
            #[occi(prefix = "com.example")]
            struct Quota {
                r#type: String,
                due_on: Option<String>,
                #[occi(name = "occi.compute.cores")]
                cores: i64,
            }
        });
        let names: Vec<_> = set.unwrap().fields.into_iter().map(|field| field.name).collect();
        assert_eq!(names, ["com.example.type", "com.example.due_on", "occi.compute.cores"]);
    }

    #[test]
    fn what_has_no_named_fields_is_refused() {
        refused(parse_quote! { enum Note { A } }, &["a struct with named fields"]);
        refused(parse_quote! { struct Note(String); }, &["a struct with named fields"]);
        refused(parse_quote! { struct Note<T> { text: T } }, &["without parameters"]);
    }

    #[test]
    fn every_field_that_is_wrong_is_told() {
        refused(
            parse_quote! { struct Note { text: String, words: i64 } },
            &["write `#[occi(name = \"com.example.text\")]` here", "com.example.words"],
        );
        refused(
            parse_quote! {
                #[occi(prefix = "com.example")]
                struct Note {
                    text: String,
                    #[occi(name = "com.example.text")]
                    copy: String,
                    #[occi(name = "com example")]
                    spaced: String,
                    #[occi(prefix = "com")]
                    prefix: String,
                    #[occi(name = "a", name = "b")]
                    twice: String,
                    nameÄ: String,
                }
            },
            &[
                "`text` stands for com.example.text already",
                "`com example` is no attribute's name",
                "on a field write",
                "on a field write",
                "`com.example.nameÄ` is no attribute's name",
            ],
        );
        refused(parse_quote! { #[occi(name = "a")] struct Note { text: String } }, &["on the struct write"]);
    }
}
