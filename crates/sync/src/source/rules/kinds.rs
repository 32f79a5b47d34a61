//! What a file is to a site, by its name: order and caching follow from it.

use crate::Key;

use super::hashed;

/// What a file is to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What visitors open.
    Page,
    /// What pages, feed readers and robots read under a fixed name: it says what the site consists of, so it is never older
    /// than the pages. JSON, XML and text, service workers, manifests, feeds, search indexes.
    Data,
    Script,
    Style,
    Font,
    Image,
    Media,
    /// A source map.
    Map,
    Wasm,
    /// What visitors download.
    Document,
    Other,
}

impl Kind {
    /// True for what only scripts and pages refer to, and bundlers therefore name by a digest.
    pub(super) fn is_bundled(self) -> bool {
        match self {
            Self::Script | Self::Style | Self::Font | Self::Image | Self::Media | Self::Map | Self::Wasm => true,
            Self::Page | Self::Data | Self::Document | Self::Other => false,
        }
    }

    /// True for code, of which bundlers write nearly all.
    pub(super) fn is_code(self) -> bool {
        matches!(self, Self::Script | Self::Style | Self::Map | Self::Wasm)
    }
}

const DATA: &[&str] = &[
    "json",
    "importmap",
    "json5",
    "jsonc",
    "jsonl",
    "ndjson",
    "jsonld",
    "geojson",
    "topojson",
    "webmanifest",
    "appcache",
    "xml",
    "rss",
    "atom",
    "rdf",
    "xsl",
    "xslt",
    "opml",
    "txt",
    "md",
    "markdown",
    "mdx",
    "csv",
    "tsv",
    "yaml",
    "yml",
    "toml",
    "ics",
    "vcf",
    "kml",
    "gpx",
    "rsc",
    "data",
    "payload",
    "graphql",
    "vtt",
    "srt",
    "log",
    // Playlists of HLS and DASH, and others: they name segments, which must be there first.
    "m3u8",
    "m3u",
    "mpd",
    "f4m",
    "pls",
    "xspf",
    // Texts of translations.
    "ftl",
    "properties",
    // Digests and signatures of what is downloaded under a fixed name.
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "sig",
    "asc",
    "minisig",
];

const DOCUMENTS: &[&str] = &[
    "pdf", "doc", "docx", "dot", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "epub", "mobi", "pages",
    "numbers", "ps", "eps", "zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "dmg", "exe", "msi", "apk",
    "deb", "rpm", "iso", "jar", "whl",
];

/// What a file is. `index` is the name of index documents.
pub(super) fn kind_of(key: &Key, index: &str) -> Kind {
    if key.name() == index {
        return Kind::Page;
    }
    let extension = key.extension();
    match extension.as_str() {
        "html" | "htm" | "xhtml" | "shtml" => Kind::Page,
        // `CNAME`, `_redirects`, `apple-app-site-association`, and pages without an extension.
        "" => Kind::Data,
        "js" | "mjs" | "cjs" | "wasm" if is_revalidated_script(key) => Kind::Data,
        data if DATA.contains(&data) => Kind::Data,
        // `sitemap.xml.gz` is a sitemap.
        "gz" | "br" | "zst" if is_compressed_data(key) => Kind::Data,
        document if DOCUMENTS.contains(&document) => Kind::Document,
        other => bundled_kind(other).unwrap_or(Kind::Other),
    }
}

fn is_compressed_data(key: &Key) -> bool {
    let inner = key.name().rsplit_once('.').and_then(|(stem, _)| stem.rsplit_once('.'));
    inner.is_some_and(|(_, extension)| DATA.contains(&extension) || extension == "html")
}

/// The kind of what bundlers write.
pub(super) fn bundled_kind(extension: &str) -> Option<Kind> {
    Some(match extension {
        "js" | "mjs" | "cjs" => Kind::Script,
        "css" => Kind::Style,
        "woff" | "woff2" | "ttf" | "otf" | "eot" => Kind::Font,
        "png" | "jpg" | "jpeg" | "gif" | "svg" | "svgz" | "webp" | "avif" | "ico" | "jxl" | "bmp" | "apng" | "cur" => {
            Kind::Image
        }
        "mp4" | "m4v" | "webm" | "mov" | "ogv" | "mp3" | "m4a" | "aac" | "ogg" | "oga" | "opus" | "wav" | "flac" => {
            Kind::Media
        }
        "map" => Kind::Map,
        "wasm" => Kind::Wasm,
        _ => return None,
    })
}

/// True for a script under a fixed name that says what the site consists of, or that browsers install: service workers, runtime
/// configuration, versions, manifests, search indexes. Words of the name decide, so that `firebase-messaging-sw.js`,
/// `OneSignalSDKWorker.js` and `searchindex.js` need not be known.
fn is_revalidated_script(key: &Key) -> bool {
    if hashed::is_hashed(key) || hashed::is_in_immutable_folder(key) {
        return false;
    }
    let stem = key.name().rsplit_once('.').map_or(key.name(), |(stem, _)| stem);
    let words = words(stem);
    let is = |word: &str| words.iter().any(|one| one == word);
    let both = |a: &str, b: &str| is(a) && is(b) || is(&format!("{a}{b}"));
    let top = !key.as_str().contains('/');
    let service_worker =
        is("sw") || is("ngsw") || both("service", "worker") || top && words.iter().any(|word| word.ends_with("worker"));
    let contents = both("search", "index")
        || both("search", "data")
        || both("remote", "entry")
        || is("manifest")
        || is("precache");
    // `_app/env.js`, `assets/config.js`: nothing but settings, which are changed without building the site.
    let settings = ["env", "environment", "config", "configuration", "settings", "runtime"];
    let only_settings = !words.is_empty() && words.iter().all(|word| settings.contains(&word.as_str()));
    // Flutter writes the whole program under fixed names: `main.dart.js`, `main.dart.wasm`, `flutter_bootstrap.js`.
    let program = is("dart") || is("flutter") || both("boot", "strap") && top;
    service_worker
        || contents
        || is("version")
        || is("registersw")
        || only_settings
        || program
        || top && (is("env") || is("config"))
}

/// The words of a name in lower case, separated by case or by anything that is no letter or digit.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).map(|at| chars[at]), chars.get(at + 1));
        let humps = before.is_some_and(|before| {
            c.is_uppercase() && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
        });
        if !c.is_alphanumeric() || humps {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_names() {
        let kind = |key: &str| kind_of(&key.parse().unwrap(), "index.html");
        for data in [
            "page-data/app-data.json",
            "ngsw.json",
            "ngsw-worker.js",
            "sw.js",
            "service-worker.js",
            "app/serviceWorker.js",
            "firebase-messaging-sw.js",
            "OneSignalSDKWorker.js",
            "safety-worker.js",
            "registerSW.js",
            "search/search_index.json",
            "searchindex.js",
            "remoteEntry.js",
            "env-config.js",
            "version.json",
            "feed.xml",
            "robots.txt",
            "site.webmanifest",
            "about.txt",
            "about/__data.json",
            "_redirects",
            "sitemap.xml.gz",
            "_app/env.js",
            "_app/version.json",
            "assets/runtime-config.js",
            "flutter_service_worker.js",
            "flutter_bootstrap.js",
            "flutter.js",
            "main.dart.js",
            "main.dart.wasm",
            "video/master.m3u8",
            "video/stream.mpd",
            "tool-1.2.zip.sha256",
            "locales/en.ftl",
        ] {
            assert_eq!(kind(data), Kind::Data, "{data}");
        }
        for script in
            ["app.js", "assets/worker.js", "switch.js", "workbox-1d305bb8.js", "search.js", "webpack.config-table.js"]
        {
            let wanted = if script.starts_with("webpack") { Kind::Data } else { Kind::Script };
            assert_eq!(kind(script), wanted, "{script}");
        }
        assert_eq!((kind("a.pdf"), kind("a.zip"), kind("a.woff2")), (Kind::Document, Kind::Document, Kind::Font));
        assert_eq!((kind("a/index.html"), kind("a.htm"), kind("a.glb")), (Kind::Page, Kind::Page, Kind::Other));
    }
}
