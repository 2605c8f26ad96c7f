//! What an extension does: four traits, of which all methods but `migrate` have a default, and how they are exported.

use crate::attributes::Attributes;
use crate::change::Change;
use crate::fault::{Fault, Result};
use crate::subject::Subject;

/// The life of the entities whose Kind, or one of whose Mixins, this extension defines. [`Subject::role`] says which
/// of them a call speaks to.
pub trait Lifecycle {
    /// The entity is about to exist with the attributes that it shows. A fault refuses it; what the call has done
    /// outside by then is undone by `delete`.
    fn create(subject: &Subject) -> Result<Change> {
        let _ = subject;
        Ok(Change::new())
    }

    /// A client changes the `wanted` attributes, which are checked against the manifest; the subject still shows the
    /// old ones. The host sets the wanted ones, then applies the change.
    fn update(subject: &Subject, wanted: &Attributes) -> Result<Change> {
        let _ = (subject, wanted);
        Ok(Change::new())
    }

    /// The entity is about to go. Succeed where there is nothing left to undo.
    fn delete(subject: &Subject) -> Result<()> {
        let _ = subject;
        Ok(())
    }
}

/// The actions that the manifest declares.
pub trait Actions {
    /// Do the action with that term. The entity's state allows it and the parameters are checked.
    fn act(subject: &Subject, action: &str, parameters: &Attributes) -> Result<Change> {
        let _ = (subject, parameters);
        Err(Fault::unsupported(format!("the extension does not implement the action {action}")))
    }
}

/// Following what happens outside.
pub trait Observe {
    /// The world moved: say what the entity is now. The Kind's extension is asked, and that of each Mixin: which it is,
    /// [`Subject::role`] says.
    fn observe(subject: &Subject, cause: Cause) -> Result<Change> {
        let _ = (subject, cause);
        Ok(Change::new())
    }
}

/// Bringing entities of an older version to this one, where an attribute was renamed, takes another type or is gone.
pub trait Migrate {
    /// The subject shows the entity as the version `from` of this extension left it; the change must make it one that
    /// fits the new manifest. It is asked for every entity before the host switches, perhaps several times, and may log
    /// but has no other capability.
    fn migrate(subject: &Subject, from: &str) -> Result<Change>;
}

/// Why an entity is to be observed. The set is open: treat what you do not know as [`Cause::Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A capability reports a change of something that belongs to the entity.
    Event,
    /// An earlier change asked for it by [`Change::again`].
    Timer,
    /// A link that was asked for by [`entities::link`](crate::entities::link), or one that was to end, was refused after the
    /// commit. The log says why.
    Refused,
    /// The host has started; what capabilities made may have changed meanwhile.
    Restart,
    /// The host has started, and what capabilities made for the entity is gone with the last run: make it again, as
    /// the entity's attributes and state describe it.
    Recreate,
}

impl Cause {
    /// The cause with that name in the contract; an event where the name is not known.
    pub fn named(name: &str) -> Self {
        match name {
            "timer" => Self::Timer,
            "refused" => Self::Refused,
            "restart" => Self::Restart,
            "recreate" => Self::Recreate,
            _ => Self::Event,
        }
    }
}

/// Export a type's implementation of the named interfaces, those that the manifest has a use for and no others:
/// `occi_sdk::export!(Note: lifecycle, actions);`. Once in a crate.
#[macro_export]
macro_rules! export {
    ($guest:ty: $($interface:ident),+ $(,)?) => {
        $($crate::__export!($guest, $interface);)+
    };
}

/// Natively there is nothing to export to; that the traits are implemented is checked all the same.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($guest:ty, lifecycle) => {
        const _: fn(&$crate::Subject) -> $crate::Result<$crate::Change> =
            <$guest as $crate::Lifecycle>::create;
    };
    ($guest:ty, actions) => {
        const _: fn(&$crate::Subject, &str, &$crate::Attributes) -> $crate::Result<$crate::Change> =
            <$guest as $crate::Actions>::act;
    };
    ($guest:ty, observe) => {
        const _: fn(&$crate::Subject, $crate::Cause) -> $crate::Result<$crate::Change> =
            <$guest as $crate::Observe>::observe;
    };
    ($guest:ty, migrate) => {
        const _: fn(&$crate::Subject, &str) -> $crate::Result<$crate::Change> =
            <$guest as $crate::Migrate>::migrate;
    };
}

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($guest:ty, lifecycle) => {
        const _: () = {
            type Exported = $crate::__Exported<$guest>;
    $crate::bindings::lifecycle::export!(Exported with_types_in $crate::bindings::lifecycle);
        };
    };
    ($guest:ty, actions) => {
        const _: () = {
            type Exported = $crate::__Exported<$guest>;
    $crate::bindings::actions::export!(Exported with_types_in $crate::bindings::actions);
        };
    };
    ($guest:ty, observe) => {
        const _: () = {
            type Exported = $crate::__Exported<$guest>;
    $crate::bindings::observe::export!(Exported with_types_in $crate::bindings::observe);
        };
    };
    ($guest:ty, migrate) => {
        const _: () = {
            type Exported = $crate::__Exported<$guest>;
    $crate::bindings::migrate::export!(Exported with_types_in $crate::bindings::migrate);
        };
    };
}

/// From the generated traits to the ones above.
#[cfg(target_arch = "wasm32")]
mod exported {
    use super::{Actions, Attributes, Cause, Change, Lifecycle, Migrate, Observe, Result, Subject};
    use crate::attributes::Attribute;
    use crate::bindings;
    use crate::outside::types::Entity;
    use std::marker::PhantomData;

    /// The type that the bindings export, for an author's type.
    pub struct Exported<T>(PhantomData<T>);

    impl<T: Lifecycle> bindings::lifecycle::exports::occi::extension::lifecycle::Guest for Exported<T> {
        fn create(operation: String, role: String, subject: &Entity) -> Result<Change> {
            T::create(&Subject::new(subject, &operation, &role))
        }

        fn update(
            operation: String,
            role: String,
            subject: &Entity,
            wanted: Vec<Attribute>,
        ) -> Result<Change> {
            T::update(&Subject::new(subject, &operation, &role), &Attributes::from(wanted))
        }

        fn delete(operation: String, role: String, subject: &Entity) -> Result<()> {
            T::delete(&Subject::new(subject, &operation, &role))
        }
    }

    impl<T: Actions> bindings::actions::exports::occi::extension::actions::Guest for Exported<T> {
        fn act(
            operation: String,
            role: String,
            subject: &Entity,
            action: String,
            parameters: Vec<Attribute>,
        ) -> Result<Change> {
            T::act(&Subject::new(subject, &operation, &role), &action, &Attributes::from(parameters))
        }
    }

    impl<T: Observe> bindings::observe::exports::occi::extension::observe::Guest for Exported<T> {
        fn observe(role: String, subject: &Entity, cause: String) -> Result<Change> {
            T::observe(&Subject::new(subject, "", &role), Cause::named(&cause))
        }
    }

    impl<T: Migrate> bindings::migrate::exports::occi::extension::migrate::Guest for Exported<T> {
        fn migrate(from_version: String, role: String, subject: &Entity) -> Result<Change> {
            T::migrate(&Subject::new(subject, "", &role), &from_version)
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub use exported::Exported;
