//! `twinsite auth hash`: the hash of a password, which is read from the terminal or from standard input, and never from arguments, which
//! others on the machine and the history of the shell can see.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use dialoguer::Password;
use twinsite_site::{Error, PasswordHash};

use crate::result::{CommandResult, Outcome};

const OPERATION: &str = "read the password";

pub(crate) fn hash_password() -> Outcome {
    let password = if stdin().is_terminal() {
        let prompt = Password::new().with_prompt("Password").with_confirmation("The same again", "The two differ");
        prompt.interact().map_err(|error| Error::usage(OPERATION, error.to_string()))?
    } else {
        let mut line = String::new();
        stdin().lock().read_line(&mut line).map_err(|error| Error::usage(OPERATION, error.to_string()))?;
        line.trim_end_matches(['\n', '\r']).to_owned()
    };
    if password.chars().count() < PasswordHash::MIN_PASSWORD {
        let why = format!("it has fewer than {} characters", PasswordHash::MIN_PASSWORD);
        let hint = "functions in CloudFront have time for one round of SHA-256 only, so that only a long random password is safe if its hash \
                    becomes known: try `openssl rand -base64 18`";
        return Err(Error::usage(OPERATION, why).hint(hint));
    }
    if password.contains(char::is_control) {
        return Err(Error::usage(OPERATION, "it has control characters, which browsers cannot send"));
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| Error::usage("make a random salt", error.to_string()))?;
    let hash = PasswordHash::new(&password, salt).to_string();
    Ok(CommandResult::Hashed { hash })
}
