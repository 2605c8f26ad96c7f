//! Which links an extension may have made and ended, and what is written down of such a wish. All that can be refused at once is.

use super::{ByCategory, Sight, unreadable};
use crate::order::{Order, Wish};
use crate::refusal::Refusal;
use occi_extension::{Extension, Fault, LinkOrder};
use occi_model::{
    Attributes, CategoryDraft, CategoryId, Ends, Entity, Identity, Item, Location, Nature, ResolvedKind,
    core as names,
};
use occi_store::Entities;
use std::sync::Arc;
use uuid::Uuid;

/// What the call itself says of a link.
const SAID: [&str; 5] = [names::ID, names::SOURCE, names::SOURCE_KIND, names::TARGET, names::TARGET_KIND];

/// Whether an extension has links of a Kind made and ended.
pub(crate) fn links(by_category: &ByCategory, extension: &Extension, kind: &CategoryId) -> bool {
    let is_own = by_category.get(kind).is_some_and(|found| found.name() == extension.name());
    is_own || extension.manifest().own_keys.texts("entities", "links").any(|named| named == kind.as_str())
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new("invalid", message)
}

impl Sight {
    pub(super) fn order_link(
        &self,
        from: &Entity,
        kind: &str,
        target: &str,
        attributes: Attributes,
    ) -> Result<LinkOrder, Fault> {
        self.check_may_order(from)?;
        let id = CategoryId::parse(kind).map_err(|error| invalid(error.to_string()))?;
        let Some(kind) = self.registry.kind(&id) else {
            return Err(invalid(format!("there is no Kind {id} on this server")));
        };
        self.check_links(kind)?;
        if let Some(said) = SAID.iter().find(|name| attributes.contains_key(**name)) {
            let fault =
                invalid(format!("{said} is not given among the attributes of a link: the call says it"));
            return Err(Fault { attribute: Some((*said).to_owned()), ..fault });
        }
        let target = self.target(target)?;
        let ends = Ends {
            source: from.location.clone(),
            source_kind: from.kind.clone(),
            source_id: from.id,
            target: target.location.to_string(),
            target_kind: Some(target.kind.clone()),
            target_id: Some(target.id),
        };
        let categories = vec![CategoryDraft::new(id, None)];
        let item = Item { categories, attributes, ..Item::default() };
        let link = self.planned(item, ends).map_err(|refusal| invalid(refusal.to_string()))?;
        self.written(from, Wish::Link(Box::new(link)))
    }

    pub(super) fn order_unlink(&self, from: &Entity, location: &str) -> Result<LinkOrder, Fault> {
        self.check_may_order(from)?;
        let path = Location::parse(location).map_err(|error| invalid(error.to_string()))?;
        let view = self.moment.view()?;
        let found = Entities::new(&*view, &self.tenant).find_by_path(&path).map_err(unreadable)?;
        let kind = match &found {
            Some(found) => self.registry.kind(&found.entity.kind),
            // It may be one that is yet to be made.
            None => self.registry.kind_above(&path),
        };
        let leaves = |link: &Entity| link.ends.as_ref().is_some_and(|ends| ends.source_id == from.id);
        let kind = kind.filter(|kind| kind.nature == Nature::Link);
        let Some(kind) = kind.filter(|_| found.is_none_or(|found| leaves(&found.entity))) else {
            return Err(invalid(format!("at {location} is no link that leaves {}", from.location.as_str())));
        };
        self.check_links(kind)?;
        self.written(from, Wish::Unlink { source: from.id, location: path })
    }

    fn check_may_order(&self, from: &Entity) -> Result<(), Fault> {
        if from.is_link() {
            return Err(invalid("the call is about a link, and links leave resources alone"));
        }
        if self.depth >= Order::DEEPEST {
            return Err(Fault::new(
                "denied",
                format!(
                    "this call was made since a link was refused that was asked for since another was, and so on, {} times; \
                     ask at a request of a client, or at the time of `again`",
                    self.depth
                ),
            ));
        }
        Ok(())
    }

    fn check_links(&self, kind: &ResolvedKind) -> Result<(), Fault> {
        let id = &kind.kind.id;
        if kind.nature != Nature::Link {
            return Err(invalid(format!("{id} is not the Kind of a link")));
        }
        if links(&self.by_category, &self.extension, id) {
            return Ok(());
        }
        let texts = self.extension.manifest().own_keys.texts("entities", "links");
        let named: Vec<_> = texts.chain([id.as_str()]).map(|kind| format!("\"{kind}\"")).collect();
        Err(Fault::new(
            "denied",
            format!(
                "the extension {} makes and ends no links of {id}: below [capabilities.entities] its manifest has to say \
                 links = [{}]",
                self.extension.name(),
                named.join(", ")
            ),
        ))
    }

    /// What a link is to lead to. That it is there any client may know, so it need not be of a Kind that the extension reads.
    fn target(&self, location: &str) -> Result<Arc<Entity>, Fault> {
        let entity = self.at(location)?;
        if entity.is_link() {
            return Err(invalid(format!("{location} is a link, and links lead to resources alone")));
        }
        Ok(entity)
    }

    /// The link as it was asked for; an error where a client could not ask for it.
    fn planned(&self, item: Item, ends: Ends) -> Result<Entity, Refusal> {
        let made = self.registry.classify(&item)?;
        let id = Uuid::now_v7();
        let location = made.kind.kind.location.as_ref().map(|above| above.child(id));
        let kind = &made.kind.kind.id;
        let location = location.ok_or_else(|| Refusal::Internal(format!("{kind} has no location")))?;
        let identity = Identity { id, location, tenant: Arc::clone(&self.tenant) };
        let whole = self.registry.instantiate(&made, &item, identity, Some(ends))?;
        let mut attributes = item.attributes;
        attributes.remove(names::TITLE);
        // What it has by default it gets when it is made.
        Ok(Entity { attributes, ..whole })
    }

    fn written(&self, from: &Entity, wish: Wish) -> Result<LinkOrder, Fault> {
        let order = Order { depth: self.depth, wish };
        order.write(from.id).map_err(|refusal| {
            tracing::error!(extension = &**self.extension.name(), "{refusal}");
            Fault::new("failed", "the wish for a link cannot be written down")
        })
    }
}
