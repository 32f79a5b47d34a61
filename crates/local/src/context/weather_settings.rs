//! Which weather there is: how AWS behaves.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How AWS behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weather {
    /// Every change is effective at once, and nothing is refused that will be accepted later.
    #[default]
    Calm,
    /// As AWS is on an ordinary day.
    Aws,
    /// As AWS may be on a bad day: the same, more often and for longer.
    Storm,
}

impl Weather {
    /// Every weather.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Aws, Self::Storm];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Aws => "aws",
            Self::Storm => "storm",
        }
    }

    /// One of two values, by the weather; the first one is for an ordinary day.
    pub(crate) fn either<T>(self, ordinary: T, bad: T) -> T {
        match self {
            Self::Calm | Self::Aws => ordinary,
            Self::Storm => bad,
        }
    }
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Weather {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|weather| weather.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of calm, aws, storm"))
    }
}

/// The weather, and the seed from which everything follows that is left to chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeatherSettings {
    /// The weather.
    pub weather: Weather,
    /// The seed.
    pub seed: u64,
}
