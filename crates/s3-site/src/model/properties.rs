//! Settings as named values, which are compared and shown.

use twinsite_core::Field;

/// A setting's AWS name and its value; `None` if it is not set.
pub(crate) type Property = (&'static str, Option<String>);

pub(crate) fn set(name: &'static str, value: &(impl ToString + ?Sized)) -> Property {
    (name, Some(value.to_string()))
}

/// The properties that differ. Both arrays list the same names in the same order.
pub(crate) fn differences<const N: usize>(actual: Option<[Property; N]>, desired: [Property; N]) -> Vec<Field> {
    let actual = actual.map_or([const { None }; N], |actual| actual.map(|(_, value)| value));
    let pairs = actual.into_iter().zip(desired).filter(|(actual, (_, desired))| actual != desired);
    pairs.map(|(actual, (name, desired))| Field { name: name.to_owned(), actual, desired }).collect()
}
