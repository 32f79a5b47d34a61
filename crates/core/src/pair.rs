//! Two of everything: the primary's and the backup's.

use std::fmt;

/// Which half of a [`Pair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The region that visitors are served from while all is well.
    Primary,
    /// The region that takes over.
    Backup,
}

impl Side {
    /// Both sides, the primary first.
    pub const BOTH: [Self; 2] = [Self::Primary, Self::Backup];

    /// The lower-case word used in messages, step ids and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        }
    }

    /// The opposite side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Primary => Self::Backup,
            Self::Backup => Self::Primary,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A value for the primary and one for the backup.
///
/// A bare region or bucket is never passed about next to the other one: it is a `Pair`, so that the
/// two cannot be swapped by accident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pair<T> {
    /// The primary's.
    pub primary: T,
    /// The backup's.
    pub backup: T,
}

impl<T> Pair<T> {
    /// Pairs two values, the primary's first.
    pub fn new(primary: T, backup: T) -> Self {
        Self { primary, backup }
    }

    /// Makes the value of each side, the primary's first.
    pub fn from_fn(mut make: impl FnMut(Side) -> T) -> Self {
        let primary = make(Side::Primary);
        Self { primary, backup: make(Side::Backup) }
    }

    /// The value of one side.
    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Primary => &self.primary,
            Side::Backup => &self.backup,
        }
    }

    /// The value of one side, to change it.
    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Primary => &mut self.primary,
            Side::Backup => &mut self.backup,
        }
    }

    /// The same pair by reference.
    pub fn as_ref(&self) -> Pair<&T> {
        Pair { primary: &self.primary, backup: &self.backup }
    }

    /// A pair of what `f` makes of each side.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Pair<U> {
        Pair { primary: f(self.primary), backup: f(self.backup) }
    }

    /// Like [`Pair::map`], but stops at the first error.
    pub fn try_map<U, E>(self, mut f: impl FnMut(T) -> Result<U, E>) -> Result<Pair<U>, E> {
        Ok(Pair { primary: f(self.primary)?, backup: f(self.backup)? })
    }

    /// Pairs the two pairs side by side.
    pub fn zip<U>(self, other: Pair<U>) -> Pair<(T, U)> {
        Pair { primary: (self.primary, other.primary), backup: (self.backup, other.backup) }
    }

    /// Each side with its value, the primary first.
    pub fn iter(&self) -> impl Iterator<Item = (Side, &T)> {
        Side::BOTH.into_iter().map(|side| (side, self.get(side)))
    }
}

impl<T> IntoIterator for Pair<T> {
    type Item = (Side, T);
    type IntoIter = std::array::IntoIter<(Side, T), 2>;

    fn into_iter(self) -> Self::IntoIter {
        [(Side::Primary, self.primary), (Side::Backup, self.backup)].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_finds_its_own_value() {
        let pair = Pair::new("us-east-1", "us-west-2");
        assert_eq!(pair.get(Side::Backup), &"us-west-2");
        assert_eq!(*pair.get(Side::Backup.other()), "us-east-1");
        let sides: Vec<_> = pair.iter().map(|(side, region)| format!("{side}={region}")).collect();
        assert_eq!(sides, ["primary=us-east-1", "backup=us-west-2"]);
    }

    #[test]
    fn try_map_stops_at_the_first_error() {
        let pair = Pair::new("1", "x");
        assert!(pair.try_map(str::parse::<u8>).is_err());
        assert_eq!(Pair::new("1", "2").try_map(str::parse::<u8>), Ok(Pair::new(1, 2)));
    }
}
