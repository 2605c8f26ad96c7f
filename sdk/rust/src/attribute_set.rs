//! Attributes as the fields of a struct: read together and written together, and no name is written twice.

use crate::attributes::{Read, Value};
use crate::fault::{Fault, Result};

/// A struct that stands for attributes of a Kind or a Mixin. It is derived:
///
/// ```
/// use occi_sdk::{AttributeSet, Attributes, Change};
///
/// #[derive(AttributeSet)]
/// #[occi(prefix = "com.example.note")]
/// struct Note {
///     text: String,
///     words: Option<i64>,
///     #[occi(name = "occi.core.title")]
///     title: Option<String>,
/// }
///
/// let given = Attributes::from([("com.example.note.text", "buy milk")]);
/// let note = Note::read(&given)?;
/// assert_eq!((note.text.as_str(), note.words), ("buy milk", None));
///
/// let counted = Note { text: note.text.clone(), words: Some(2), title: None };
/// assert_eq!(Change::new().set_changed(&note, &counted), Change::new().set(Note::WORDS, 2));
///
/// let fault = Note::read(&Attributes::default()).err().unwrap();
/// assert_eq!(fault.attribute.as_deref(), Some(Note::TEXT));
/// # Ok::<(), occi_sdk::Fault>(())
/// ```
///
/// - A field's attribute is named by the struct's `prefix` and the field, or by the field's own `name`, which is the
///   whole name. It is a constant, too: `Note::TEXT`.
/// - What a field may be says [`AttributeType`]. In an `Option` it may be missing; else it is required, as where the
///   manifest says `required` or has a default.
/// - The state is not among them: it is read by [`Subject::state`](crate::Subject::state) and entered by
///   [`Change::state`](crate::Change::state).
///
/// A field that can be no attribute does not compile:
///
/// ```compile_fail,E0277
/// #[derive(occi_sdk::AttributeSet)]
/// #[occi(prefix = "com.example.note")]
/// struct Note {
///     words: u32,
/// }
/// ```
///
/// Nor does one whose attribute has no name:
///
/// ```compile_fail
/// #[derive(occi_sdk::AttributeSet)]
/// struct Note {
///     text: String,
/// }
/// ```
pub trait AttributeSet: Sized {
    /// Read all of them from a [`Subject`](crate::Subject), or from [`Attributes`](crate::Attributes) that came with a
    /// call: `Note::read(&wanted.over(subject))` is what an entity will show after an update. The first required one
    /// that is missing is a fault on it.
    fn read(from: &dyn Read) -> Result<Self>;

    /// Their names and values, in the order of the fields; none for one that is not there.
    fn values(&self) -> Vec<(&'static str, Option<Value>)>;
}

/// What a field of an [`AttributeSet`] may be: `String`, `i64`, `f64`, `bool` and [`Json`], as the manifest's `string`,
/// `integer`, `number`, `boolean`, and `array` or `object`. Implement it for a type of your own that stands for some of
/// these values:
///
/// ```
/// use occi_sdk::{AttributeType, Fault, Result, Value};
///
/// enum Colour {
///     White,
///     Red,
/// }
///
/// impl AttributeType for Colour {
///     const WANTED: &'static str = "a colour";
///
///     fn from_value(value: Value) -> Result<Self> {
///         match String::from_value(value)?.as_str() {
///             "white" => Ok(Self::White),
///             "red" => Ok(Self::Red),
///             _ => Err(Fault::invalid("a lamp is white or red")),
///         }
///     }
///
///     fn to_value(&self) -> Value {
///         match self {
///             Self::White => "white".into(),
///             Self::Red => "red".into(),
///         }
///     }
/// }
/// ```
pub trait AttributeType: Sized {
    /// What a client is to give, such as "an integer".
    const WANTED: &'static str;

    /// The value as this type. A fault need not name the attribute.
    fn from_value(value: Value) -> Result<Self>;

    /// The value that the attribute gets.
    fn to_value(&self) -> Value;
}

/// An array or an object, as a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json(pub String);

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::Structured(json.0)
    }
}

macro_rules! attribute_type {
    ($type:ty, $wanted:literal, $pattern:pat => $value:expr) => {
        impl AttributeType for $type {
            const WANTED: &'static str = $wanted;

            fn from_value(value: Value) -> Result<Self> {
                match value {
                    $pattern => Ok($value),
                    _ => Err(of_another_type(Self::WANTED)),
                }
            }

            fn to_value(&self) -> Value {
                Self::clone(self).into()
            }
        }
    };
}

attribute_type!(String, "a text", Value::Text(text) => text);
attribute_type!(i64, "an integer", Value::Integer(number) => number);
attribute_type!(f64, "a number", Value::Number(number) => number);
attribute_type!(bool, "true or false", Value::Boolean(truth) => truth);
attribute_type!(Json, "JSON", Value::Structured(json) => Json(json));

/// The host has checked the value against the manifest, so the client can do nothing about it.
fn of_another_type(wanted: &str) -> Fault {
    Fault::failed(["the extension reads ", wanted, " here, and its manifest declares another type"].concat())
}

/// A field, required or not: what the derived code calls.
#[diagnostic::on_unimplemented(
    message = "an attribute cannot be a `{Self}`",
    label = "write `String`, `i64`, `f64`, `bool` or `Json`, or an `Option` of one of these",
    note = "a type of your own can be one where it implements `AttributeType`"
)]
pub trait Field: Sized {
    /// Read it under that name.
    fn read(from: &dyn Read, name: &str) -> Result<Self>;

    /// Its value; none where it is not there.
    fn value(&self) -> Option<Value>;
}

impl<T: AttributeType> Field for T {
    fn read(from: &dyn Read, name: &str) -> Result<Self> {
        let value = from.get(name).ok_or_else(|| missing(T::WANTED, name))?;
        T::from_value(value).map_err(|fault| named(fault, name))
    }

    fn value(&self) -> Option<Value> {
        Some(self.to_value())
    }
}

impl<T: AttributeType> Field for Option<T> {
    fn read(from: &dyn Read, name: &str) -> Result<Self> {
        from.get(name).map(T::from_value).transpose().map_err(|fault| named(fault, name))
    }

    fn value(&self) -> Option<Value> {
        self.as_ref().map(T::to_value)
    }
}

fn missing(wanted: &str, name: &str) -> Fault {
    Fault::invalid(["it is missing; give ", wanted].concat()).on(name)
}

/// A fault that names an attribute: that one where it names none.
fn named(fault: Fault, name: &str) -> Fault {
    if fault.attribute.is_some() { fault } else { fault.on(name) }
}
