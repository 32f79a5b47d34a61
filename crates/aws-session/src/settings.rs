//! Settings that the environment or the selected profile makes.

use std::borrow::Cow;

use aws_config::profile::{self, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

/// The environment, and the profile's settings, if its files can be read: credentials are read from the same files, with an error if
/// they cannot be.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) env: Env,
    files: Option<ProfileSet>,
}

/// A setting and where it was made, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The environment variable or the name in the profile.
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

impl Settings {
    /// Those of this process.
    pub(crate) async fn real(profile: Option<String>) -> Self {
        Self::read(Env::real(), &Fs::real(), profile).await
    }

    pub(crate) async fn read(env: Env, fs: &Fs, profile: Option<String>) -> Self {
        let files = profile::load(fs, &env, &Default::default(), profile.map(Cow::Owned)).await.ok();
        Self { env, files }
    }

    /// The value of an environment variable that is not empty.
    pub(crate) fn variable(&self, name: &'static str) -> Option<Setting> {
        let value = self.env.get(name).ok()?.trim().to_owned();
        (!value.is_empty()).then_some(Setting { name, value })
    }

    /// The variable or, where it is not set, the profile's setting.
    pub(crate) fn get(&self, variable: &'static str, name: &'static str) -> Option<Setting> {
        self.variable(variable).or_else(|| {
            let value = self.profile(name)?.trim();
            (!value.is_empty()).then(|| Setting { name, value: value.to_owned() })
        })
    }

    /// A setting of the profile. One with nested settings has a line for each.
    pub(crate) fn profile(&self, name: &str) -> Option<&str> {
        self.files.as_ref()?.get(name)
    }

    /// A nested setting of the profile: `addressing_style` of `s3`.
    pub(crate) fn nested(&self, section: &str, name: &str) -> Option<&str> {
        self.profile(section)?.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim())
        })
    }
}
