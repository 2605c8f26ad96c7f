//! `#[derive(AttributeSet)]`: from a struct with named fields to the attributes that it stands for. Authors take it from
//! `occi-sdk`, where the trait is and what the fields may be.
//!
//! [`input`] is what an author has written, or what is wrong with it; [`output`] is the code that is made of it.

mod input;
mod output;

use proc_macro::TokenStream;

/// Implements `AttributeSet` for a struct with named fields.
///
/// - `#[occi(prefix = "com.example.note")]` on the struct: the attribute of a field `text` is `com.example.note.text`.
/// - `#[occi(name = "occi.compute.cores")]` on a field: its attribute's whole name, in place of that.
///
/// A field of type `Option` may be missing; any other is required. Each name is a constant of the struct, too, under the
/// field's name in capitals: `Note::TEXT`.
#[proc_macro_derive(AttributeSet, attributes(occi))]
pub fn attribute_set(item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::DeriveInput);
    input::AttributeSet::parse(item)
        .map_or_else(syn::Error::into_compile_error, |set| output::implementation(&set))
        .into()
}
