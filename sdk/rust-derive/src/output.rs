//! The code that is made of a struct: calls of `occi-sdk` and no more, so that a component carries little for each field.

use crate::input::{AttributeSet, Field};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

pub(crate) fn implementation(set: &AttributeSet) -> TokenStream {
    let ident = &set.ident;
    let constants = set.fields.iter().map(constant);
    // Where a field's type is none that an attribute has, the compiler points at it.
    let reads = set.fields.iter().map(|Field { ident, kind, name, .. }| {
        quote_spanned! { kind.span() => #ident: <#kind as ::occi_sdk::__Field>::read(from, #name)? }
    });
    let values = set.fields.iter().map(|Field { ident, kind, name, .. }| {
        quote_spanned! { kind.span() => (#name, <#kind as ::occi_sdk::__Field>::value(&self.#ident)) }
    });
    quote! {
        #[allow(dead_code, reason = "not every name is of use beside its value")]
        impl #ident {
            #(#constants)*
        }

        #[automatically_derived]
        impl ::occi_sdk::AttributeSet for #ident {
            fn read(from: &dyn ::occi_sdk::Read) -> ::occi_sdk::Result<Self> {
                ::core::result::Result::Ok(Self { #(#reads,)* })
            }

            fn values(&self) -> ::std::vec::Vec<(&'static str, ::core::option::Option<::occi_sdk::Value>)> {
                ::std::vec![#(#values,)*]
            }
        }
    }
}

/// The attribute's name, as visible as its field.
fn constant(field: &Field) -> TokenStream {
    let Field { visibility, ident, name, .. } = field;
    let constant = Ident::new(&ident.unraw().to_string().to_uppercase(), ident.span());
    let doc = format!("The attribute `{name}`.");
    quote! {
        #[doc = #doc]
        #visibility const #constant: &'static str = #name;
    }
}
