//! Link lines: a link of a resource, or an action that can be invoked on it.

use super::attribute;
use super::category::type_identifiers;
use super::scanner::{Given, Scanner};
use super::write::push_uri;
use crate::error::Malformed;
use crate::limit::Budget;
use occi_model::{AttributeName, CategoryDraft, CategoryId, Item, Value, core};

/// Reads one and adds it to the resource's links or actions.
pub(super) fn parse(
    scanner: &mut Scanner<'_>,
    item: &mut Item,
    budget: &mut Budget,
) -> Result<(), Malformed> {
    if !scanner.take(b'<') {
        return Err(scanner.expected("`<` and a URI"));
    }
    let uri = scanner.until(b'>')?;
    let (mut rel, mut own, mut category) = (None, None, None);
    let mut link = Item::default();
    while let Some(name) = scanner.parameter()? {
        let slot = match name.text {
            "rel" => &mut rel,
            "self" => &mut own,
            "category" => &mut category,
            _ => {
                attribute::parse(scanner, name, &mut link.attributes)?;
                continue;
            }
        };
        if slot.replace(scanner.given()?).is_some() {
            return Err(scanner.twice(name));
        }
    }
    let identifiers = |given: &Option<Given<'_>>| match given {
        Some(given) => type_identifiers(scanner, given),
        None => Ok(Vec::new()),
    };
    let related = identifiers(&rel)?;
    if category.is_none() && uri.text.contains("?action=") {
        let [action] = <[CategoryId; 1]>::try_from(related).map_err(|_| {
            scanner.error(uri.at, "an action's link has `rel=\"<the action's type identifier>\"`")
        })?;
        item.actions.push(action);
        return Ok(());
    }
    for id in identifiers(&category)? {
        budget.spend(|problem| scanner.error(uri.at, problem))?;
        // Kind or Mixin: the list does not say.
        link.categories.push(CategoryDraft::new(id, None));
    }
    link.location = own.map(|own| own.text.into_owned());
    target(scanner, uri.at, uri.text, &mut link)?;
    if let Some(kind) = related.into_iter().next()
        && let Ok(name) = AttributeName::parse(core::TARGET_KIND)
    {
        // `rel` names the target's Mixins too; its Kind comes first.
        link.attributes.entry(name).or_insert_with(|| kind.as_str().into());
    }
    item.links.push(link);
    Ok(())
}

/// The target stands between `<` and `>`, and often as an attribute too, which then must say the same.
fn target(scanner: &Scanner<'_>, at: usize, uri: &str, link: &mut Item) -> Result<(), Malformed> {
    match link.attributes.get(core::TARGET) {
        None => {
            let name = AttributeName::parse(core::TARGET).map_err(|invalid| scanner.error(at, invalid))?;
            link.attributes.insert(name, uri.into());
        }
        Some(Value::Text(target)) => {
            let mut written = String::with_capacity(target.len());
            push_uri(&mut written, target);
            if target != uri && written != uri {
                return Err(scanner.error(at, format!("{} and `<...>` name different targets", core::TARGET)));
            }
        }
        Some(_) => return Err(scanner.error(at, format!("{} is a string in quotes", core::TARGET))),
    }
    Ok(())
}
