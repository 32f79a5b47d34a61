//! The file that `init` writes.

/// The answers to `init`'s questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) domain: String,
    pub(crate) mode: String,
    pub(crate) primary: String,
    pub(crate) backup: String,
    pub(crate) not_found: String,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            domain: "www.example.com".to_owned(),
            mode: "layered".to_owned(),
            primary: "us-east-1".to_owned(),
            backup: "us-west-2".to_owned(),
            not_found: "404.html".to_owned(),
        }
    }
}

/// A configuration with these answers.
pub(crate) fn text(answers: &Answers) -> String {
    let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let (schema, reference) = (released("raw", "twinsite.schema.json"), released("blob", "configuration.md"));
    let Answers { domain, mode, primary, backup, not_found } = answers;
    format!(
        "#:schema {schema}\n\
         # What twinsite publishes, and where. Every key is described in\n\
         # {reference}\n\n\
         [site]\n\
         domain = {}\n\
         mode = {} # dns | origin | layered\n\n\
         [primary]\n\
         region = {}\n\n\
         [backup]\n\
         region = {}\n\n\
         [publish]\n\
         not_found = {}\n\
         clean_urls = true # about.html at /about, too\n\n\
         # Settings of the distribution that are left as they are without a key; \"none\" removes one.\n\
         # [cdn]\n\
         # web_acl_arn = \"arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID\"\n\
         # geo_restriction = {{ deny = [\"RU\"] }}\n\
         # origin_shield_region = \"us-east-2\"\n\
         # log_bucket = \"my-logs\"\n\n\
         # Headers for some objects; later rules win.\n\
         # [[publish.headers]]\n\
         # match = \"assets/**\"\n\
         # cache_control = \"public, max-age=31536000, immutable\"\n",
        quoted(domain),
        quoted(mode),
        quoted(primary),
        quoted(backup),
        quoted(not_found),
    )
}

/// The address of a file of the reference, as it was in this release. Editors complete and check keys by the schema that a line
/// `#:schema` names: <https://taplo.tamasfe.dev/configuration/directives.html>.
fn released(kind: &str, file: &str) -> String {
    format!("{}/{kind}/v{}/docs/src/reference/{file}", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"))
}
