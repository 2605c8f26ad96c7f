//! Category lines: from a bare identifier to the whole definition.

use super::scanner::{Given, Scanner};
use crate::error::{Malformed, excerpt};
use occi_model::{CategoryDraft, CategoryId, Class};

const PARAMETERS: [&str; 7] = ["scheme", "class", "title", "rel", "location", "attributes", "actions"];

pub(super) fn parse(scanner: &mut Scanner<'_>) -> Result<CategoryDraft, Malformed> {
    let term = scanner.word(b"=\"");
    if term.text.is_empty() {
        return Err(scanner.expected("a term"));
    }
    let mut given: [Option<Given<'_>>; PARAMETERS.len()] = Default::default();
    while let Some(name) = scanner.parameter()? {
        let Some(index) = PARAMETERS.iter().position(|known| *known == name.text) else {
            return Err(scanner.unknown(name, &PARAMETERS));
        };
        if given[index].replace(scanner.given()?).is_some() {
            return Err(scanner.twice(name));
        }
    }
    let [scheme, class, title, rel, location, attributes, actions] = given;
    let Some(scheme) = scheme else {
        return Err(scanner.expected(format!("`; scheme=\"...\"` after the term `{}`", excerpt(term.text))));
    };
    let id = CategoryId::new(&scheme.text, term.text).map_err(|invalid| scanner.error(term.at, invalid))?;
    // a client that names only term and scheme means a category that is known.
    let class = class.map(|class| parse_class(scanner, &class)).transpose()?;
    let mut category = CategoryDraft::new(id, class);
    category.title = title.map(|title| title.text.into_owned());
    if let Some(rel) = rel {
        category.related = type_identifiers(scanner, &rel)?;
    }
    category.location = location.map(|location| location.text.into_owned());
    // What a definition says is the provider's to say; of a client's it matters only whether it says anything (H11-07).
    category.has_content = [attributes, actions].iter().flatten().any(|list| !list.text.trim().is_empty());
    Ok(category)
}

/// A list of type identifiers, separated by spaces.
pub(super) fn type_identifiers(
    scanner: &Scanner<'_>,
    given: &Given<'_>,
) -> Result<Vec<CategoryId>, Malformed> {
    let identifier = |text| CategoryId::parse(text).map_err(|invalid| scanner.error(given.at, invalid));
    given.text.split_ascii_whitespace().map(identifier).collect()
}

fn parse_class(scanner: &Scanner<'_>, given: &Given<'_>) -> Result<Class, Malformed> {
    let class =
        [Class::Kind, Class::Mixin, Class::Action].into_iter().find(|class| class.name() == given.text);
    class.ok_or_else(|| {
        let problem = format!("the class is `kind`, `mixin` or `action`, not `{}`", excerpt(&given.text));
        scanner.error(given.at, problem)
    })
}
